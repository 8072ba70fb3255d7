"""WebFiles in layouts of all kinds: one answer, the same requests, copies only between heaps.

usage: webfiles.py BULKHEAD DIR
"""
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import command  # pylint: disable=wrong-import-position

COPIES = {"hip-r3": 1, "hip-r3-s": 2, "masked": 2}  # of all data: heaps on the way from the disk
REFUSED = "files-refuse"


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    command.run(bulkhead, "run", os.path.join(HERE, "cells.yaml"), "--backend", "qemu", "--out",
                folder)
    oracles = {}
    for record in command.records(folder):
        oracles.setdefault(record["workload"], set()).add(record["oracle"])
    failures.check(len(oracles) == 2, f"records of {sorted(oracles)} only")
    for workload, values in oracles.items():
        failures.check(len(values) == 1, f"{workload}: oracles {sorted(values)}")

    cells = command.cells(bulkhead, folder, "sip-phys")
    events = {key[2]: cell["events"] for key, cell in cells.items() if key[0] != REFUSED}
    failures.check(len(events) == 7, f"cells of {sorted(events)} only")
    messages = {round(cell["messages"], 3) for cell in events.values()}
    failures.check(len(messages) == 1, f"messages of a read differ: {sorted(messages)}")
    once = events["hip-r3"]["bytes_copied"]
    failures.check(once > 50000, f"hip-r3 copies {once} bytes a read")
    for layout, cell in events.items():
        ratio = cell["bytes_copied"] / once
        want = COPIES.get(layout, 0)
        failures.check(abs(ratio - want) < 0.1, f"{layout} copies {ratio:.2f} times, not {want}")

    text = command.run(bulkhead, "report", folder, "--published", "--format", "json")
    beside = {bar["layout"]: bar for bar in json.loads(text)["published"]["beside"]
              if bar["paper"]["unit"] == "cycles"}
    failures.check(beside["hip-r3"]["paper"]["ratio"] == 1.33, "the paper's hip-r3 is not there")
    ours = beside["hip-r3"]["ours"]["ratio"]
    failures.check(1.05 < ours < 1.5, f"hip-r3 is {ours} times sip-phys")
    failures.check(beside["unchecked"]["ours"]["ratio"], "unchecked has no ratio to sip-phys")
    failures.finish(f"{len(cells)} cells")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
