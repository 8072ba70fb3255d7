"""QEMU with a plan that is spoilt on its way into the guest, for wrong.sh.

usage: SPOIL=byte|end|version|magic|nothing spoil.py QEMU ARGUMENT...
"""
import os
import sys

VERSION_AT = 8  # in struct plan_header, after the magic


def spoil(plan, how):
    plan = bytearray(plan)
    if how == "byte":
        plan[-1] ^= 1
    elif how == "end":
        del plan[-4096:]
    elif how == "version":
        plan[VERSION_AT] += 1
    elif how == "magic":
        plan[0] ^= 1
    return bytes(plan)


def main(arguments):
    if "-initrd" in arguments:
        at = arguments.index("-initrd") + 1
        with open(arguments[at], "rb") as file:
            plan = file.read()
        if plan.startswith(b"BLHKPLAN"):  # the doctor's probes are left alone
            held = os.memfd_create("plan", 0)
            os.write(held, spoil(plan, os.environ["SPOIL"]))
            arguments[at] = f"/proc/self/fd/{held}"
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
