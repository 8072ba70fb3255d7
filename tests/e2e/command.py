"""Driving the command and reading what it leaves: shared by the tests of the whole path."""
import json
import os
import re
import subprocess
import sys


class Failures:
    """Collects what is wrong, so that one run of a test shows all of it."""

    def __init__(self):
        self.count = 0

    def check(self, condition, text):
        if not condition:
            self.count += 1
            print("FAIL:", text)
        return condition

    def finish(self, passed):
        if self.count:
            sys.exit(f"{self.count} checks failed")
        print(passed)


def run(bulkhead, *arguments, status=0):
    """Runs the command, which must end with that status; returns its standard output."""
    done = subprocess.run([bulkhead, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != status:
        print(done.stdout)
        print(done.stderr)
        sys.exit(f"status {done.returncode} instead of {status}: bulkhead {' '.join(arguments)}")
    return done.stdout


def records(folder):
    with open(os.path.join(folder, "samples.jsonl"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def manifest(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        return json.load(file)


def cells(bulkhead, folder, baseline):
    """The report's cells by (workload, op, layout, params as "name=value,...")."""
    report = json.loads(run(bulkhead, "report", folder, "--format", "json", "--baseline", baseline))
    return {(cell["workload"], cell["op"], cell["layout"], params_text(cell["params"])): cell
            for cell in report["cells"]}


def params_text(params):
    return ",".join(f"{name}={value}" for name, value in sorted(params.items())) or "-"


def cell_name(key):
    workload, op, layout, params = key
    return f"{layout} {workload} {params} {op}"


def table(text, head):
    """The rows below the line of `explain` that begins with `head`, split at runs of blanks."""
    rows = text[text.index("\n" + head) + 1:].split("\n\n")[0].splitlines()[1:]
    return [re.split(r" {2,}", row.rstrip()) for row in rows]


def domains(bulkhead, layout, workload):
    """{name: ring} as the pair resolves."""
    text = run(bulkhead, "explain", layout, workload)
    return {row[0]: int(row[1]) for row in table(text, "DOMAIN ")}
