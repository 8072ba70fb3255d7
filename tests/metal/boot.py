"""Cells on a machine that boots by itself: the same answers and events as on the qemu backend.

usage: boot.py BULKHEAD DIR MACHINE
"""
import os
import shutil
import sys

import machines

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import command  # noqa: E402 (it is found by the line above)

CELLS = [("hip-r3-s", "ping-pong", ["--set", "bytes=4096", "--samples", "40"]),
         ("sip-phys", "abi-call", [])]
# What each machine's clock is to be taken for.
CLOCKS = {"qemu": ("cycles", "emulated"), "usb": ("cycles", "emulated"),
          "uefi": ("cycles", "emulated"), "counted": ("instructions", "emulated"),
          "bochs": ("instructions", "emulated")}
FIELDS = ["experiment", "layout", "workload", "params", "op", "kind", "n", "oracle", "events",
          "status", "safety"]


def check_cell(failures, bulkhead, folder, machine, cell):
    layout, workload, options = cell
    name = f"{layout} {workload} on {machine}"
    iso, log, metal, qemu = (os.path.join(folder, f"{layout}-{workload}{end}")
                             for end in (".iso", ".log", "-metal", "-qemu"))
    command.run(bulkhead, "iso", layout, workload, "-o", iso, *options)
    machines.boot(machine, iso, log, folder, again=1 if machine == "qemu" else 0)
    command.run(bulkhead, "import", log, "-o", metal, "--host", "bench")
    command.run(bulkhead, "run", "--layout", layout, "--workload", workload, "--backend", "qemu",
                "--out", qemu, *options)
    got, wanted = command.records(metal), command.records(qemu)
    failures.check(len(got) == len(wanted) > 0, f"{name}: {len(got)} records, not {len(wanted)}")
    for mine, other in zip(got, wanted):
        for field in FIELDS:
            failures.check(mine[field] == other[field],
                           f"{name}: {field} is {mine[field]}, on the qemu backend {other[field]}")
        failures.check((mine["unit"], mine["trust"]) == CLOCKS[machine],
                       f"{name}: {mine['unit']} of a clock that is {mine['trust']}")
        failures.check(mine["backend"] == "metal" and mine["host"] == "bench" and mine["note"],
                       f"{name}: {mine['backend']}, {mine['host']}, {mine['note']}")
        failures.check(all(value >= 0 for value in mine["samples"]), f"{name}: negative samples")
        if machine == "counted":  # the same clock as that of the backend
            failures.check(mine["samples"] == other["samples"], f"{name}: other counts")
    check_sets(failures, bulkhead, name, metal, qemu)
    print(f"{name}: {len(got)} operations agree")


def check_sets(failures, bulkhead, name, metal, qemu):
    """The reports read the set, and never mix its units with others."""
    mine, other = command.manifest(metal), command.manifest(qemu)
    for key in ("commit", "images", "files", "resolved", "layouts", "samples", "seed"):
        failures.check(mine[key] == other[key], f"{name}: the manifest's {key} differs")
    failures.check(mine["complete"] and mine["host"]["cpu"]["model"] != "unknown",
                   f"{name}: the manifest is {mine}")
    report = command.run(bulkhead, "report", metal)
    failures.check("clock trust: emulated" in report, f"{name}: the report hides the emulator")
    same_unit = mine["unit"] == other["unit"]
    command.run(bulkhead, "compare", metal, metal)
    command.run(bulkhead, "compare", metal, qemu, status=0 if same_unit else 1)


def main(bulkhead, folder, machine):
    failures = command.Failures()
    machines.needs(machine)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for cell in CELLS if machine in ("qemu", "bochs") else CELLS[:1]:
        check_cell(failures, bulkhead, folder, machine, cell)
    failures.finish(f"# {machine} boots by itself and agrees")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
