"""Instruction budgets of the ladder, and the values it has now, from budgets.txt beside this file.

usage: budgets.py BULKHEAD DIR [--update]        DIR: as ladder.py left it

A value above its limit fails. So does one that is more than 2 % (or 2 instructions) away from the
pinned one, in either direction: an improvement is pinned, so that it is not lost again. --update
writes the present values into the table instead. The counts are those
of gcc, which figures are taken with.
"""
import os
import sys

import command

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "budgets.txt")
TOLERANCE, SLACK = 0.02, 2


def rows(text):
    """(index of the line, workload, op, layout, params, limit, pinned) of each row."""
    for index, line in enumerate(text.splitlines()):
        fields = line.split("#")[0].split()
        if not fields:
            continue
        if len(fields) != 6:
            sys.exit(f"{TABLE}:{index + 1}: {len(fields)} columns instead of 6")
        yield (index, *fields)


def limit_of(limit, cells, key):
    """The number that the limit means: itself, or 1.02 times another cell's median ('2%:PARAMS')."""
    if "%:" not in limit:
        return float(limit)
    percent, params = limit.split("%:")
    return cells[(*key[:3], params)]["median"] * (1 + float(percent) / 100)


def update(text, cells):
    lines = text.splitlines()
    for index, *key, _, pinned in rows(text):
        if tuple(key) in cells:
            start = lines[index].rstrip()[:-len(pinned)]
            lines[index] = f"{start}{cells[tuple(key)]['median']:g}"
    with open(TABLE, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main(bulkhead, folder, updating):
    failures = command.Failures()
    cells = command.cells(bulkhead, os.path.join(folder, "one"), "sip-phys")
    with open(TABLE, encoding="utf-8") as file:
        text = file.read()
    checked = 0
    for _, workload, op, layout, params, limit, pinned in rows(text):
        key = (workload, op, layout, params)
        if not failures.check(key in cells, f"no cell {command.cell_name(key)}"):
            continue
        median, name = cells[key]["median"], command.cell_name(key)
        checked += 1
        if limit != "-":
            most = limit_of(limit, cells, key)
            failures.check(median <= most, f"{name}: {median:g} instructions, limit {most:g}")
        if not updating:
            room = max(float(pinned) * TOLERANCE, SLACK)
            failures.check(abs(median - float(pinned)) <= room,
                           f"{name}: {median:g} instructions, pinned at {pinned}; "
                           "if that is meant, pin it with --update")
    if updating:
        update(text, cells)
    failures.finish(f"{checked} budgets kept")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--update"]):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], len(sys.argv) == 4)
