"""docs/backends.md says which mechanisms can be used where, as the command finds it out.

usage: mechanisms.py BULKHEAD BACKENDS.MD
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import command  # noqa: E402 (it is found by the line above)

HEADING = "## Which mechanisms can be used where"


def cells(line):
    return [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]


def documented(path):
    """{column heading: {setting: "yes" or "needs ..."}} of the table under the heading."""
    with open(path, encoding="utf-8") as file:
        section = file.read().split(HEADING)[1].split("\n## ")[0]
    head, _, *rows = [cells(line) for line in section.splitlines() if line.startswith("|")]
    return {name: {row[0]: row[column] for row in rows}
            for column, name in enumerate(head) if column}


def listed(bulkhead, *options):
    """{setting: "yes" or "needs ..."} as the command prints it."""
    found = {}
    for line in command.run(bulkhead, "list", "mechanisms", *options).splitlines():
        match = re.match(r"  (\S+: \S+) +(yes|no)  ?(.*)", line)
        if match:
            setting, usable, text = match.groups()
            found[setting] = "yes" if usable == "yes" else text.split(", which this CPU")[0]
    return found


def main(bulkhead, path):
    failures = command.Failures()
    table = documented(path)
    failures.check(list(table)[:2] == ["qemu", "bochs, tigerlake"], f"columns: {list(table)}")
    for name, rows in table.items():
        backend, _, model = name.partition(", ")
        found = listed(bulkhead, "--backend", backend, *(["--cpu", model] if model else []))
        failures.check(list(found) == list(rows), f"{name}: mechanisms are {list(found)}")
        for setting in sorted(found.keys() & rows.keys()):
            failures.check(found[setting] == rows[setting],
                           f"{name}: {setting} is \"{rows[setting]}\" in {path}, and "
                           f"\"{found[setting]}\" by the command")
    failures.finish(f"# {len(table)} columns are as the command finds them")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
