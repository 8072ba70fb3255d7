"""The worked example of docs/mechanisms.md, done: one row and one file make a new mechanism.

usage: add_mechanism.py SOURCE BUILD DIR        SOURCE: the tree; BUILD: its build, for the SIP images

Copies what host and guest are built from, adds the two blocks of the page, builds kernel and command,
and runs a layout with the new word: it must be known to `check` and `explain`, cost what its code
is, fire between domains, and not within one.
"""
import os
import re
import shutil
import subprocess
import sys

import command

LOOP = 2 + 64 * 3  # mov, lfence, and three instructions a turn


def sh(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout[-3000:]}")


def block(page, kind):
    found = re.search(rf"```{kind}\n(.*?)```", page, re.S)
    if not found:
        sys.exit(f"docs/mechanisms.md has no block marked '{kind}'")
    return found.group(1)


def add(tree):
    with open(f"{tree}/docs/mechanisms.md", encoding="utf-8") as file:
        page = file.read()
    with open(f"{tree}/guest-kernel/mechanism/bhb_clear.c", "w", encoding="utf-8") as file:
        file.write(block(page, "file"))
    path = f"{tree}/guest-kernel/mechanisms.h"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    end = text.index("\n\nenum mechanism_id")
    row = block(page, "row").rstrip("\n").replace("\n", " \\\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:end] + " \\\n" + row + text[end:])


def instructions(bulkhead, folder, layout, workload):
    """What one operation of the workload takes; every sample is the same on this backend."""
    command.run(bulkhead, "run", "--layout", layout, "--workload", workload, "--backend", "qemu",
                "--out", folder)
    (record,) = command.records(folder)
    return sorted(record["samples"])[len(record["samples"]) // 2]


def main():
    source, build, folder = sys.argv[1:]
    tree, fresh = f"{folder}/tree", f"{folder}/build"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, tree, ignore=shutil.ignore_patterns(".git", "build*", "results", "*.orig"))
    add(tree)
    sh("cmake", "-S", tree, "-B", fresh, "-G", "Ninja", "-DBUILD_TESTING=OFF")
    sh("ninja", "-C", fresh, "bulkhead", f"{fresh}/images/kernel.elf")
    for name in os.listdir(f"{build}/images"):
        if name != "kernel.elf" and not os.path.exists(f"{fresh}/images/{name}"):
            os.symlink(f"{build}/images/{name}", f"{fresh}/images/{name}")
    bulkhead = f"{fresh}/bulkhead"
    layout = f"{folder}/bhb.yaml"
    with open(layout, "w", encoding="utf-8") as file:
        file.write("layout: bhb\nextends: hip-r3-s\non-switch: bhb-clear\n")
    command.run(bulkhead, "check", layout)
    explained = command.run(bulkhead, "explain", layout, "yield")
    if "bhb-clear" not in explained:
        sys.exit("explain does not tell of bhb-clear")
    plain = instructions(bulkhead, f"{folder}/plain", "hip-r3-s", "yield")
    with_it = instructions(bulkhead, f"{folder}/with", layout, "yield")
    if with_it - plain != LOOP:
        sys.exit(f"a switch takes {with_it} instructions instead of {plain} + {LOOP}")
    calls = [instructions(bulkhead, f"{folder}/call-{number}", name, "abi-call")
             for number, name in enumerate(("hip-r3-s", layout))]
    if calls[0] != calls[1]:
        sys.exit(f"a call takes {calls[1]} instructions with it, {calls[0]} without")
    print(f"one row, one file: a switch takes {with_it:g} instead of {plain:g} instructions")


main()
