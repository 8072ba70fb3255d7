#!/usr/bin/python3
"""Runs wasm2c on a module that passed the gate and cuts the tool's own prelude out of the result:
`cut.py WASM2C MODULE.wasm OUT.c`. What remains gets its meaning from prelude.h. Fails if the tool is
not the one whose output was studied, or if anything but the known prelude would be cut."""

import hashlib
import os
import re
import subprocess
import sys

VERSION = "1.0.32"
FIRST = "\n#define TRAP(x) (wasm_rt_trap(WASM_RT_TRAP_##x), 0)\n"
LAST = "\nstatic bool s_module_initialized = false;\n"
PRELUDE_SHA256 = "149b2a487d101351c55a8d67faa0473b5fa454d2f9f902384e5f256d0e5da280"
MEND = f"use wabt {VERSION}, or study the new output and change prelude.h and cut.py"


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def cut(text, header):
    if text.count(FIRST) != 1 or text.count(LAST) != 1:
        sys.exit(f"cut.py: the prelude's first or last line is not there once: {MEND}")
    begin, end = text.index(FIRST), text.index(LAST)
    digest = hashlib.sha256(text[begin:end].encode()).hexdigest()
    if digest != PRELUDE_SHA256:
        sys.exit(f"cut.py: the prelude has the unknown SHA-256 {digest}: {MEND}")
    body = text[end:]
    strange = re.search(r"(?m)^\s*#.*|\?\?.|.*\\$", body)
    if strange:
        sys.exit(f"cut.py: unexpected in generated code: {strange.group()!r}: {MEND}")
    return f'#include "{header}"\n{body}'


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: cut.py WASM2C MODULE.wasm OUT.c")
    wasm2c, module, out = sys.argv[1:]
    version = run([wasm2c, "--version"]).split()[0]
    if version != VERSION:
        sys.exit(f"cut.py: {wasm2c} is version {version}: {MEND}")
    run([wasm2c, module, "--module-name=image", "--no-debug-names", f"--output={out}"])
    with open(out, encoding="ascii") as file:
        text = file.read()
    body = cut(text, os.path.splitext(os.path.basename(out))[0] + ".h")
    with open(out, "w", encoding="ascii") as file:
        file.write(body)


if __name__ == "__main__":
    main()
