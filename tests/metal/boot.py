"""Cells on a machine that boots by itself: the same answers and events as on a backend.

usage: boot.py BULKHEAD DIR MACHINE
"""
import os
import shutil
import sys

import machines

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import command  # noqa: E402 (it is found by the line above)

PING = ("hip-r3-s", "ping-pong", ["--set", "bytes=4096", "--samples", "40"])
CALL = ("sip-phys", "abi-call", [])
HARDENED = ("hardened", "ping-pong", [])  # every mechanism, and another kernel image
# For each machine its cells, each with the backends that it is compared with.
CELLS = {"qemu": [(PING, ["qemu"]), (CALL, ["qemu"])], "usb": [(PING, ["qemu"])],
         "uefi": [(PING, ["qemu"])], "counted": [(PING, ["qemu"])],
         "bochs": [(PING, ["qemu", "bochs"]), (HARDENED, ["bochs"])]}
# What each machine's clock is to be taken for.
CLOCKS = {"qemu": ("cycles", "emulated"), "usb": ("cycles", "emulated"),
          "uefi": ("cycles", "emulated"), "counted": ("instructions", "emulated"),
          "bochs": ("instructions", "emulated")}
# Machines and backends with one and the same clock: there all samples are equal.
SAME_COUNTS = {("counted", "qemu"), ("bochs", "bochs")}
FIELDS = ["experiment", "layout", "workload", "params", "op", "kind", "n", "oracle", "events",
          "status", "safety"]


def check_cell(failures, bulkhead, folder, machine, cell, backends):
    layout, workload, options = cell
    stem = os.path.join(folder, f"{layout}-{workload}")
    iso, log, metal = stem + ".iso", stem + ".log", stem + "-metal"
    command.run(bulkhead, "iso", layout, workload, "-o", iso, *options)
    machines.boot(machine, iso, log, folder, again=1 if machine == "qemu" else 0)
    command.run(bulkhead, "import", log, "-o", metal, "--host", "bench")
    for backend in backends:
        other = f"{stem}-{backend}"
        command.run(bulkhead, "run", "--layout", layout, "--workload", workload, "--backend",
                    backend, "--out", other, *options)
        name = f"{layout} {workload} on {machine}, beside backend {backend}"
        check_records(failures, name, machine, backend, command.records(metal),
                      command.records(other))
        check_sets(failures, bulkhead, name, metal, other)


def check_records(failures, name, machine, backend, got, wanted):
    failures.check(len(got) == len(wanted) > 0, f"{name}: {len(got)} records, not {len(wanted)}")
    for mine, other in zip(got, wanted):
        for field in FIELDS:
            failures.check(mine[field] == other[field],
                           f"{name}: {field} is {mine[field]}, there {other[field]}")
        failures.check((mine["unit"], mine["trust"]) == CLOCKS[machine],
                       f"{name}: {mine['unit']} of a clock that is {mine['trust']}")
        failures.check(mine["backend"] == "metal" and mine["host"] == "bench" and
                       "emulator" in mine["note"],
                       f"{name}: {mine['backend']}, {mine['host']}, {mine['note']}")
        failures.check(all(value >= 0 for value in mine["samples"]), f"{name}: negative samples")
        if (machine, backend) in SAME_COUNTS:
            failures.check(mine["samples"] == other["samples"], f"{name}: other counts")
    print(f"{name}: {len(got)} operations agree")


def check_sets(failures, bulkhead, name, metal, backend):
    """The reports read the set, and never mix its units with others."""
    mine, other = command.manifest(metal), command.manifest(backend)
    for key in ("commit", "images", "files", "resolved", "layouts", "samples", "seed"):
        failures.check(mine[key] == other[key], f"{name}: the manifest's {key} differs")
    failures.check(mine["complete"] and mine["host"]["cpu"]["model"] != "unknown",
                   f"{name}: the manifest is {mine}")
    report = command.run(bulkhead, "report", metal)
    failures.check("clock trust: emulated" in report, f"{name}: the report hides the emulator")
    same_unit = mine["unit"] == other["unit"]
    command.run(bulkhead, "compare", metal, metal)
    command.run(bulkhead, "compare", metal, backend, status=0 if same_unit else 1)


def main(bulkhead, folder, machine):
    failures = command.Failures()
    machines.needs(machine)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for cell, backends in CELLS[machine]:
        check_cell(failures, bulkhead, folder, machine, cell, backends)
    failures.finish(f"# {machine} boots by itself and agrees")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
