"""The ladder as a user runs it: twice, with equal samples, and a whole report.

usage: ladder.py BULKHEAD DIR

The first set stays in DIR/one for the tests of counters and budgets.
"""
import os
import shutil
import sys
import time

import command

LAYOUTS = ["unchecked", "sip-phys", "sip-page", "hip-r0", "hip-r0-s", "hip-r3", "hip-r3-s",
           "monolithic", "microkernel"]
WORK = [("abi-call", "abi-call", "-"), ("yield", "yield", "-")] + [
    (workload, "ping-pong", f"bytes={size}")
    for workload in ("ping-pong", "ping-pong-peers") for size in (1, 64, 1024, 4096, 32768)]


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    samples = []
    for name in ("one", "two"):
        out = os.path.join(folder, name)
        started = time.monotonic()
        command.run(bulkhead, "run", "ladder", "--backend", "qemu", "--out", out)
        print(f"ladder {name}: {time.monotonic() - started:.1f} s")
        with open(os.path.join(out, "samples.jsonl"), "rb") as file:
            samples.append(file.read())
    failures.check(samples[0] == samples[1], "two runs of the ladder differ")

    cells = command.cells(bulkhead, os.path.join(folder, "one"), "sip-phys")
    for workload, op, params in WORK:
        for layout in LAYOUTS:
            key = (workload, op, layout, params)
            failures.check(key in cells, f"the report lacks {command.cell_name(key)}")
    for key, cell in cells.items():
        failures.check(cell["status"] == "ok", f"{command.cell_name(key)}: {cell['status']}")
        failures.check(cell["median"] > 0 and cell["ratio"] is not None,
                       f"{command.cell_name(key)} has no figure")
    failures.finish(f"{len(cells)} cells, all ok")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
