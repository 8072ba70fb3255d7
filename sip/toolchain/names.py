#!/usr/bin/python3
"""Gives the functions of a compiled module the names that its C source had, so that a crash report can
tell them: `names.py OBJCOPY NAMED.wasm OBJECT`. Names only label symbols, they are cleaned here, and
nothing is trusted or refused because of them."""

import re
import subprocess
import sys

FUNCTION = re.compile(r"(w2c_f(\d+)|(?:w2c_|Z_imageZ_)(sip_main))((?:\.[a-z0-9.]+)?)$")
NAME_BYTES = 40  # leaves room in a report for the compiler's suffixes
RESERVED = re.compile(r"(sip_(trap|entry|slots|calls|stack_limit|image_run)|mem\w+)$")


def leb(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def sections(data, at, end):
    while at < end:
        kind = data[at]
        size, at = leb(data, at + 1)
        yield kind, at, at + size
        at += size


def function_names(data):
    """Index to name, from the function subsection of the custom section `name`."""
    names = {}
    for kind, at, end in sections(data, 8, len(data)):
        size, text = leb(data, at) if kind == 0 else (0, 0)
        if kind != 0 or data[text:text + size] != b"name":
            continue
        for part, at, _ in sections(data, text + size, end):
            if part != 1:
                continue
            count, at = leb(data, at)
            for _ in range(count):
                index, at = leb(data, at)
                size, at = leb(data, at)
                names[index] = data[at:at + size].decode("ascii", "replace")
                at += size
    return names


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: names.py OBJCOPY NAMED.wasm OBJECT")
    objcopy, module, target = sys.argv[1:]
    with open(module, "rb") as file:
        names = function_names(file.read())
    listed = subprocess.run(["nm", "-j", target], capture_output=True, text=True, check=True)
    lines, used = [], set()
    for symbol in sorted(set(listed.stdout.split())):
        found = FUNCTION.match(symbol)
        if not found:
            continue
        name = found[3] or names.get(int(found[2]), found[1])
        name = re.sub(r"\W", "_", name, flags=re.ASCII)[:NAME_BYTES]
        name += ".sip" * bool(RESERVED.match(name)) + found[4]
        while name in used:
            name += "_"
        used.add(name)
        lines.append(f"{symbol} {name}\n")
    with open(target + ".names", "w", encoding="ascii") as file:
        file.writelines(lines)
    subprocess.run([objcopy, f"--redefine-syms={target}.names", target], check=True)


if __name__ == "__main__":
    main()
