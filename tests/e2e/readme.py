#!/usr/bin/python3
"""The table in README.md is what `bulkhead run quick` prints on qemu.

usage: readme.py BULKHEAD DIR [--update]

Counts are exact, so it is compared as text. --update puts the present one into README.md.
"""
import pathlib
import shutil
import subprocess
import sys

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->"


def figures(bulkhead, folder):
    """The report's section of figures, from a run of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([bulkhead, "run", "quick", "--backend", "qemu", "--out", folder], check=True,
                   stdout=subprocess.DEVNULL)
    report = subprocess.run([bulkhead, "report", folder], check=True, capture_output=True,
                            text=True).stdout
    section = report.split("Figures\n=======\n", 1)[1].split("\nWhat isolation costs\n", 1)[0]
    return "".join(f"    {line}".rstrip() + "\n" for line in section.strip("\n").split("\n"))


def main(bulkhead, folder, update=None):
    text = README.read_text()
    head, rest = text.split(BEGIN, 1)
    shown, tail = rest.split(END, 1)
    measured = "\n" + figures(bulkhead, folder) + "\n"
    if update == "--update":
        README.write_text(head + BEGIN + measured + END + tail)
    elif shown != measured:
        sys.stdout.write(f"README.md shows{shown}but the quick run gives{measured}"
                         "if that is meant: readme.py BULKHEAD DIR --update\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
