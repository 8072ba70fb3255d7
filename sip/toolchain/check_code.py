#!/usr/bin/python3
"""Whether machine code keeps what its build promises, by objdump's listing of it. Retpoline: no
indirect jump or call at all, for the thunks get by without. CET: whatever an indirect branch may reach
starts with ENDBR64, which is each address of code that the loader writes or an instruction takes, and
no branch is exempt (notrack). Floating point: SSE2's registers and no wider or older ones.

Used by check_image.py, and as `check_code.py retpoline|cet KERNEL.elf` for the guest kernel, whose
addresses are fixed. There, a constant that is an address of code counts as written by the loader;
addresses in variables and in instructions are left to CPUs with CET.
"""

import re
import struct
import subprocess
import sys

FLOAT, RETPOLINE, CET = 1, 2, 4  # sip/abi.h, enum abi_image_feature
FEATURES = FLOAT | RETPOLINE | CET
ENDBR64 = b"\xf3\x0f\x1e\xfa"


def pattern(text):
    """Of a line of the listing: its address, and what `text` holds."""
    return re.compile(rf"^ *([0-9a-f]+):\t.*(?:{text})", re.MULTILINE)


INDIRECT = pattern(r"\b(?:jmp|call)[a-z]* +\*")
NOTRACK = pattern(r"\bnotrack\b")
TAKEN = pattern(r"\blea .*# ([0-9a-f]+)")
OTHER_REGISTERS = pattern(r"(?<=\t)[fv]|%(?:mm|k)[0-7]\b")  # x87 starts with f, AVX with v


def listing_of(path):
    return subprocess.run(["objdump", "-d", "-w", "--no-show-raw-insn", "-j", ".text", path],
                          capture_output=True, text=True, check=True).stdout


def problem(path, features, start, code, values):
    """A sentence, or None. `code` is what is at the address `start` on; `values` are addresses."""
    listing = listing_of(path)
    if features & RETPOLINE:
        found = INDIRECT.search(listing)
        if found:
            return f"an indirect branch at {found[1]}, but it is built with retpolines"
    if features & FLOAT:
        found = OTHER_REGISTERS.search(listing)
        if found:
            return f"other registers than SSE2's at {found[1]}: compile with -msse2 only"
    if not features & CET:
        return None
    found = NOTRACK.search(listing)
    if found:
        return f"a branch that is not tracked at {found[1]}: compile with -fno-jump-tables"
    taken = [int(found[2], 16) for found in TAKEN.finditer(listing)]
    for value in [*values, *taken]:
        offset = value - start
        if 0 <= offset < len(code) and code[offset:offset + 4] != ENDBR64:
            return f"the code at {value:#x}, whose address is taken, does not start with ENDBR64"
    return None


def kernel_problem(feature, path):
    with open(path, "rb") as file:
        data = file.read()
    offset, count = struct.unpack_from("<Q", data, 40)[0], struct.unpack_from("<H", data, 60)[0]
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + 64 * i) for i in range(count)]
    values, text = [], None
    for _, kind, flags, address, at, size, *_ in sections:
        if kind == 1 and flags & 2 and address >> 32 == 0xffffffff:
            if flags & 4:
                text = address, data[at:at + size]
            elif not flags & 1:
                values += struct.unpack_from(f"<{size // 8}Q", data, at)
    return problem(path, feature, *text, values)


def main():
    promises = {"retpoline": RETPOLINE, "cet": CET}
    if len(sys.argv) != 3 or sys.argv[1] not in promises:
        sys.exit("usage: check_code.py retpoline|cet KERNEL.elf")
    why = kernel_problem(promises[sys.argv[1]], sys.argv[2])
    if why:
        sys.exit(f"{sys.argv[2]}: {why}")


if __name__ == "__main__":
    main()
