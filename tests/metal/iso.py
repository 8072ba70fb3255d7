"""What `bulkhead iso` does where it cannot make an image: the right status, the name of the package.

usage: iso.py BULKHEAD DIR
"""
import os
import shutil
import subprocess
import sys

import machines

TOOLS = {"grub-mkrescue": "grub-common", "xorriso": "xorriso", "mformat": "mtools"}


def main(bulkhead, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    out, part = os.path.join(folder, "cell.iso"), os.path.join(folder, "cell.iso.part")
    wrong = []

    def expect(status, text, *arguments, path=os.environ["PATH"]):
        done = subprocess.run([bulkhead, "iso", *arguments], capture_output=True, text=True,
                              env={**os.environ, "PATH": path}, check=False)
        if done.returncode != status or text not in done.stderr:
            wrong.append(f"iso {arguments}: status {done.returncode}, not {status}, or no "
                         f"`{text}` in: {done.stderr}")

    cell = ["hip-r3", "abi-call"]
    expect(2, "name a layout and a workload", "hip-r3", "-o", out)
    expect(2, "one layout and one workload", *cell, "yield", "-o", out)
    expect(2, "-o FILE", *cell)
    expect(2, "NAME=NUMBER", *cell, "-o", out, "--set", "bytes")
    expect(1, "did you mean 'hip-r3'?", "hip-r33", "abi-call", "-o", out)
    expect(1, "--samples is 0", *cell, "-o", out, "--samples", "0")
    expect(1, "dd", *cell, "-o", "/dev/null")
    for tool in TOOLS:  # a $PATH with the others only
        there = os.path.join(folder, "without-" + tool)
        os.makedirs(there)
        for other in TOOLS:
            if other != tool:
                os.symlink("/bin/true", os.path.join(there, other))
        expect(3, f"the Debian package {TOOLS[tool]}", *cell, "-o", out, path=there)
    if os.path.exists("/usr/lib/grub/i386-pc"):
        failing = os.path.join(folder, "failing")
        os.makedirs(failing)
        for tool in TOOLS:
            with open(os.path.join(failing, tool), "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\necho 'the disk is on fire'\nexit 1\n")
            os.chmod(os.path.join(failing, tool), 0o755)
        expect(3, "the disk is on fire", *cell, "-o", out, path=failing)
    for path in (out, part):
        if os.path.exists(path):
            wrong.append(f"{path} is there, though there is no image")
    machines.needs("iso")
    expect(1, "cannot write", *cell, "-o", os.path.join(folder, "nowhere", "cell.iso"))
    expect(0, "", *cell, "-o", out)
    expect(0, "", *cell, "-o", out)  # over the one before
    if os.path.exists(part) or not os.path.getsize(out):
        wrong.append("the image is not whole")
    for text in wrong:
        print("FAIL:", text)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
