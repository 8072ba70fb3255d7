#!/usr/bin/python3
"""COMPILER FILE...: each broken contract is refused with exactly the diagnostics it expects.

A file's first lines say them, "# expect LINE:COL: text" each, in the order of the text.
"""
import os
import subprocess
import sys

PREFIX = "# expect "


def main():
    compiler, *files = sys.argv[1:]
    failed = 0
    for file in files:
        with open(file, encoding="utf-8") as opened:
            expected = [line[len(PREFIX):].rstrip("\n") for line in opened if line.startswith(PREFIX)]
        os.chdir(os.path.dirname(file))
        name = os.path.basename(file)
        ran = subprocess.run([compiler, "--check", name], capture_output=True, text=True, check=False)
        found = [line.removeprefix(name + ":") for line in ran.stderr.splitlines()]
        if ran.returncode != 1 or ran.stdout or not expected or found != expected:
            failed += 1
            print(f"{file}: exit status {ran.returncode}, expected 1")
            print("".join(f"  expected {line}\n" for line in expected), end="")
            print("".join(f"  found    {line}\n" for line in found), end="")
    print(f"{len(files) - failed} of {len(files)} broken contracts refused as expected")
    return failed != 0 or not files


if __name__ == "__main__":
    sys.exit(main())
