#!/usr/bin/python3
"""clang-tidy has nothing to say about what BUILD compiled with clang.

usage: tidy.py SOURCE BUILD

A file that passed is looked at again only when it, a header, or .clang-tidy has changed. The path
analyser takes seconds a file, so tests go without it.
"""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys


def main(source, build):
    if not shutil.which("clang-tidy"):
        print("skipped: clang-tidy is not installed")
        return 77
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    commands = json.loads((build / "compile_commands.json").read_text())
    files = {pathlib.Path(entry["directory"], entry["file"]).resolve() for entry in commands}
    files = sorted(file for file in files if file.suffix == ".c" and source in file.parents
                   and source / "build" not in file.parents)
    shared = [source / ".clang-tidy"]
    for room in source.iterdir():
        if room.is_dir() and room.name not in ("build", ".git"):
            shared += room.rglob("*.h")
    newest = max(file.stat().st_mtime for file in shared)

    def check(file):
        name = file.relative_to(source)
        stamp = stamps / str(name).replace("/", "_")
        if stamp.exists() and stamp.stat().st_mtime > max(newest, file.stat().st_mtime):
            return None
        command = ["clang-tidy", "--quiet", "-p", str(build)]
        if name.parts[0] == "tests":
            command.append("--checks=-clang-analyzer-*")
        # One file a process: version 14 confuses the va_lists of different files.
        done = subprocess.run(command + [str(file)], capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stdout or done.stderr
        stamp.touch()
        return None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [text for text in pool.map(check, files) if text]
    print("\n".join(findings) or f"{len(files)} files, nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
