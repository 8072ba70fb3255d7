"""Compares two result sets count by count: what the guest did may not depend on who runs it.

usage: compare.py DIR DIR

The same cells must be there, all ok, with equal events and equal oracles. Figures are left alone:
one set holds cycles and the other instructions.
"""
import json
import os
import sys


def load(folder):
    records = {}
    with open(os.path.join(folder, "samples.jsonl"), encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["boot"] != 0:
                continue
            key = (record["layout"], record["workload"], json.dumps(record["params"], sort_keys=True),
                   record["op"])
            records[key] = record
    return records


def main(one, other):
    first, second = load(one), load(other)
    wrong = 0

    def tell(key, text):
        nonlocal wrong
        wrong += 1
        print(" ".join(key) + ": " + text)

    for key in sorted(set(first) | set(second)):
        a, b = first.get(key), second.get(key)
        if a is None or b is None:
            tell(key, "only in " + (one if b is None else other))
            continue
        for folder, record in ((one, a), (other, b)):
            if record["status"] != "ok":
                tell(key, f"{record['status']} in {folder}: {record.get('reason')}")
        for field in ("kind", "n", "events", "oracle"):
            if a.get(field) != b.get(field):
                tell(key, f"{field} {a.get(field)} and {b.get(field)}")
    if not first:
        wrong += 1
        print(f"{one} holds no records")
    print(f"{len(first)} operations compared, {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
