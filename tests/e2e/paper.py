"""The paper's micro-operations: one answer everywhere, exact events, nothing that grows where it must
not, params that are refused, and an experiment and a page that have all of them.

usage: paper.py BULKHEAD DIR
"""
import os
import re
import shutil
import statistics
import sys

import command

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RUNGS = ["unchecked", "sip-phys", "sip-page", "hip-r0", "hip-r0-s", "hip-r3", "hip-r3-s"]
SIZES = ["send-receive", "ping-pong", "ping-pong-peers", "ping-pong-contract"]
POINTERS = ("unchecked", "sip-phys", "sip-page", "hip-r0", "hip-r0-s")  # no message is ever copied
# All that have nothing else that tests them so; in kinds of code and ways to pass messages.
NEW = {"clock": None, "atomics": None, "wait-set": None, "create-thread": None,
       "scheduler": "{threads: [2, 64]}", "disk": "{bytes: [512, 64K]}"}
FEW = {"clock": None, "atomics": None, "scheduler": "{threads: 5}", "wait-set": None,
       "create-thread": None, "disk": "{bytes: 4K}"}
ENDS = {workload: "{bytes: [1, 64K]}" for workload in SIZES}
LONGEST = {workload: "{bytes: 64K}" for workload in SIZES}
SETTLES = "microkernel-remap"  # pages that went from heap to heap are given memory again, by the way
OTHERS = (SETTLES, "microkernel-shared")
# Of one operation; ring 3 crosses twice for each call. Switches of tables are the disk's alone, and
# those of a thread that ends.
CALLS = {"clock-bare": 0, "clock-fenced": 0, "clock-pair": 0, "atomic-add": 0, "atomic-exchange": 0,
         "scheduler": 1, "wait-set": 6, "send-receive": 4, "create-thread": 3}
SWITCHES = {"scheduler": 1, "wait-set": 2, "send-receive": 2, "create-thread": 2, "disk-read": 2,
            "disk-write": 2, "ping-pong": 2}
MESSAGES = {"wait-set": 2, "send-receive": 2, "disk-read": 2, "disk-write": 2, "ping-pong": 2}
SLACK = 4  # instructions: turns of a loop that the others take, and that is not subtracted
REFUSED = [
    ("scheduler", "threads=1", "param 'threads' must be from 2 to 64"),
    ("scheduler", "threads=65", "param 'threads' must be from 2 to 64"),
    ("scheduler", "threads=-2", "param 'threads' must be from 2 to 64"),
    ("disk", "bytes=256", "param 'bytes' must be a power of two from 512 to 64K"),
    ("disk", "bytes=513", "param 'bytes' must be a power of two from 512 to 64K"),
    ("disk", "bytes=1536", "param 'bytes' must be a power of two from 512 to 64K"),
    ("disk", "bytes=131072", "param 'bytes' must be a power of two from 512 to 64K"),
    ("send-receive", "bytes=65537", "param 'bytes' must be from 1 to 64K"),
    ("heap", "bytes=0", "param 'bytes' must be from 1 to 256K"),
    ("heap", "bytes=-1", "param 'bytes' must be from 1 to 256K"),
    ("page-alloc", "pages=0", "param 'pages' must be from 1 to 32768"),
    ("page-alloc", "pages=32769", "param 'pages' must be from 1 to 32768"),
]


def kinds_make(folder):
    """A layout with a domain for each SIP, by kind of code."""
    paths = []
    for kind in ("unchecked", "masked"):
        paths.append(os.path.join(folder, f"apart-{kind}.yaml"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(f"layout: apart-{kind}\nabout: As hip-r3-s, with other code.\n"
                       f"extends: hip-r3-s\nsafety: {kind}\n")
    return paths


def run(bulkhead, folder, name, layouts, cells, batch=4):
    """{(layout, workload, params, op): record} of an experiment, run on qemu."""
    path, out = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"experiment: {name}\nlayouts: [{', '.join(layouts)}]\nworkloads:\n")
        for workload, params in cells.items():
            file.write(f"  - {{workload: {workload}, params: {params}}}\n" if params else
                       f"  - {workload}\n")
        file.write(f"warmup: 2\nbatch: {batch}\nsamples: 3\n")
    command.run(bulkhead, "run", path, "--backend", "qemu", "--out", out)
    return {(record["workload"], record["op"], record["layout"],
             command.params_text(record["params"])): record for record in command.records(out)}


def answers_check(failures, records, answers):
    for key, record in records.items():
        name = command.cell_name(key)
        failures.check(record["status"] == "ok", f"{name}: {record['status']} {record['reason']}")
        failures.check(len(set(record["samples"])) == 1 or key[2] == SETTLES,
                       f"{name}: samples differ on qemu")
        wanted = answers.setdefault((key[0], key[1], key[3]), record["oracle"])
        failures.check(record["oracle"] == wanted and
                       bool(int(wanted, 16)) == (key[0] != "clock"),
                       f"{name}: oracle {record['oracle']}, elsewhere {wanted}")


def count(record):
    return statistics.median(record["samples"])


def events_check(failures, records):
    """What each rung counts for each operation."""
    for key, record in records.items():
        name, op, layout, events = command.cell_name(key), key[1], key[2], record["events"]
        failures.check(events["context_switches"] == SWITCHES.get(op, 0) and
                       events["messages"] == MESSAGES.get(op, 0) and not events["page_faults"],
                       f"{name}: {events}")
        if op in CALLS:
            crossings = 2 * CALLS[op] if layout in ("hip-r3", "hip-r3-s") else 0
            failures.check(events["ring_crossings"] == crossings and not events["bytes_copied"],
                           f"{name}: want {crossings} crossings and no copy, got {events}")
        if layout in POINTERS:
            failures.check(not events["bytes_copied"], f"{name}: {events}")
        elif op == "ping-pong" and key[0] != "ping-pong-peers" or \
                op == "ping-pong" and layout == "hip-r3-s":
            bytes_ = 2 * (record["params"]["bytes"] + 16)
            failures.check(events["bytes_copied"] == bytes_, f"{name}: {events}, not {bytes_} copied")


def growth_check(failures, records):
    """By nothing that an operation does not touch; `records` of different params."""
    for key, record in records.items():
        workload, op, layout, params = key
        name = command.cell_name(key)
        if workload == "scheduler" and params == "threads=64":
            few = count(records[workload, op, layout, "threads=2"])
            failures.check(abs(count(record) - few) < SLACK,
                           f"{name}: {count(record):g} instructions, {few:g} with two threads")
        if params == "bytes=65536" and op in ("send-receive", "ping-pong"):
            small = count(records[workload, op, layout, "bytes=1"])
            if layout in POINTERS or op == "send-receive":
                failures.check(count(record) == small,
                               f"{name}: {count(record):g} instructions, {small:g} for a byte")
            elif record["events"]["bytes_copied"]:
                failures.check(count(record) > small + 2 * 65535 / 8,
                               f"{name}: {count(record):g} instructions copy it, {small:g} a byte")


def history_check(failures, few, many):
    """Nor by how often it was done before."""
    for key, record in many.items():
        before, now = count(few[key]), count(record)
        failures.check(abs(now - before) < SLACK,
                       f"{command.cell_name(key)}: {now:g} instructions in a long run, {before:g}")


def page_check(failures, records):
    """docs/workloads/paper.md has a row with each operation and its kind."""
    rows = {}
    with open(os.path.join(ROOT, "docs", "workloads", "paper.md"), encoding="utf-8") as file:
        for line in file:
            row = re.match(r"\|[^|]*\|([^|]*)\|([^|]*)\| *(single|one-way|round-trip) *\|", line)
            for workload in re.findall(r"`([\w-]+)`", row[1] if row else ""):
                for op in re.findall(r"`([\w-]+)`", row[2]):
                    rows[workload, op] = row[3]
    for (workload, op), kind in {key[:2]: record["kind"] for key, record in records.items()}.items():
        failures.check(rows.get((workload, op)) == kind,
                       f"{workload}: {op} is {kind}, the page says {rows.get((workload, op))}")
    return rows


def experiment_check(failures, bulkhead, rows):
    """All operations of the page, over the seven rungs, with all images there."""
    path = os.path.join(ROOT, "domain-config", "experiments", "paper.yaml")
    command.run(bulkhead, "check", path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    layouts = re.search(r"^layouts: \[(.*)\]$", text, re.MULTILINE)[1].split(", ")
    failures.check(layouts == RUNGS, f"the experiment has the layouts {layouts}")
    workloads = set(re.findall(r"^  - (?:\{workload: )?([\w-]+)", text, re.MULTILINE))
    wanted = {workload for workload, _ in rows} - {"calibrate"}
    failures.check(workloads == wanted, f"the experiment and the page: {workloads ^ wanted}")
    for workload in SIZES:
        sizes = re.search(rf"workload: {workload}, params: {{bytes: \[(.*?)\]", text)[1].split(", ")
        failures.check(sizes[0] == "1" and sizes[-1] == "64K", f"{workload} has sizes {sizes}")


def refuse(failures, bulkhead, folder, workload, setting, text):
    out = os.path.join(folder, "refused")
    shutil.rmtree(out, ignore_errors=True)
    command.run(bulkhead, "run", "--layout", "hip-r3", "--workload", workload, "--set", setting,
                "--backend", "qemu", "--out", out, status=4)
    reasons = [record["reason"] for record in command.records(out)]
    failures.check(len(reasons) == 1 and text in reasons[0],
                   f"{workload} {setting}: {reasons}, not '{text}'")


def main(bulkhead, folder):
    failures, answers = command.Failures(), {}
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    new = run(bulkhead, folder, "new", ["unchecked", "sip-phys", "hip-r0-s", "hip-r3", "hip-r3-s"], NEW)
    ends = run(bulkhead, folder, "ends", RUNGS, ENDS)
    more = run(bulkhead, folder, "more", [*kinds_make(folder), *OTHERS], {**FEW, **LONGEST})
    few = run(bulkhead, folder, "few", ["hip-r3-s"], FEW)
    many = run(bulkhead, folder, "many", ["hip-r3-s"], FEW, batch=256)
    for records in (new, ends, more, few, many):
        answers_check(failures, records, answers)
    for records in (new, ends):
        events_check(failures, records)
        growth_check(failures, records)
    history_check(failures, few, many)
    rows = page_check(failures, {**new, **ends})
    experiment_check(failures, bulkhead, rows)
    for workload, setting, text in REFUSED:
        refuse(failures, bulkhead, folder, workload, setting, text)
    failures.finish(f"{len(new) + len(ends) + len(more) + len(few) + len(many)} operations, "
                    f"{len(rows)} rows of the page, {len(REFUSED)} wrong params refused")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
