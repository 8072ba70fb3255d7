"""A machine whose CPU lacks what the layout asks for: said there, and imported as unavailable.

usage: lacking.py BULKHEAD DIR
"""
import os
import shutil
import sys

import machines

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import command  # noqa: E402 (it is found by the line above)

LAYOUT = """layout: giants
about: Everything in ring 0, in pages of 1 GiB.
pages: 1G
place:
  - {match: {role: "*"}, in: kernel}
"""


def main(bulkhead, folder):
    failures = command.Failures()
    machines.needs("lacking")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    layout, iso, log, out = (os.path.join(folder, name)
                             for name in ("giants.yaml", "cell.iso", "cell.log", "set"))
    with open(layout, "w", encoding="utf-8") as file:
        file.write(LAYOUT)
    command.run(bulkhead, "iso", layout, "abi-call", "-o", iso)
    machines.boot("lacking", iso, log, folder)
    with open(log, encoding="utf-8", errors="replace") as text:
        failures.check("bulkhead: needs 1 GiB pages" in text.read(), "the machine gives no reason")
    command.run(bulkhead, "import", log, "-o", out)
    records = command.records(out)
    failures.check(len(records) == 1, f"{len(records)} records")
    for record in records:
        failures.check(record["status"] == "unavailable" and "1 GiB pages" in record["reason"],
                       f"the record is {record['status']}: {record['reason']}")
    failures.check("1 GiB pages" in command.run(bulkhead, "report", out), "not in the report")
    failures.finish("# what the CPU lacks is told")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
