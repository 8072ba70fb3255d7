"""Memory-bound workloads: the same answer everywhere, exact counts, and params that are refused.

usage: memory.py BULKHEAD DIR

In every layout that comes along; what the CPU of the engine lacks for one is simulated.
"""
import glob
import os
import re
import shutil
import statistics
import sys

import command

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CELLS = {  # in some layouts
    "touch": "{pages: [1, 64, 600], other: [0, 1]}",
    "switch-cost": "{bytes: [0, 4K, 256K]}",
    "flush-cost": "{pages: [1, 64], freed: [1, 3]}",
}
FEW_CELLS = {  # in all the others
    "touch": "{pages: 64}",
    "switch-cost": "{bytes: 4K}",
    "flush-cost": "{pages: 64, freed: 3}",
}
MORE_CELLS = {  # other strides, with the default of everything else
    "touch": "{stride: [64, 8K]}",
    "switch-cost": "{stride: 4K}",
}
OPS = {"touch": 3, "switch-cost": 2, "flush-cost": 3}
RINGS = {"sip-page": 0, "hip-r0-s": 0, "hip-r3-s": 3, "hip-r0-s-pcid": 0, "hip-r3-s-pcid": 3}
CORE = ("sip-page", "hip-r0-s", "hip-r3-s")  # what is run a second time
# Above: layouts whose counters are pinned. Of those, where a switch between two applications changes
# page tables, and whether that flushes.
APART = {"hip-r0-s": 1, "hip-r3-s": 1, "hip-r0-s-pcid": 0, "hip-r3-s-pcid": 0}
ALSO = ("unchecked", "sip-phys", "hip-r3-s-2m")  # layouts with all cells besides the pinned ones
KINDS = ("unchecked", "masked")  # of code; the layouts that come along have checked code mostly


def layouts_find(folder):
    """With all cells: some that come along, and one with domains apart for each other kind of code.
    And the others."""
    names = [os.path.basename(path).removesuffix(".yaml") for path in
             sorted(glob.glob(os.path.join(ROOT, "domain-config", "layouts", "*.yaml")))]
    more = []
    for kind in KINDS:
        path = os.path.join(folder, f"apart-{kind}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"layout: apart-{kind}\nabout: A domain for each SIP.\npages: 4K\n"
                       f"safety: {kind}\n"
                       'place: [{match: {role: "*"}, in: own, ring: 3, space: own, heap: own}]\n')
        more.append(path)
    return [*RINGS, *ALSO, *more], [name for name in names if name not in (*RINGS, *ALSO)]


def run(bulkhead, folder, name, layouts, cells):
    """{(layout, workload, params, op): record} of an experiment, run on qemu."""
    path, out = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"experiment: {name}\nlayouts: [{', '.join(layouts)}]\nworkloads:\n")
        for workload, params in cells.items():
            file.write(f"  - {{workload: {workload}, params: {params}}}\n")
        file.write("warmup: 1\nbatch: 3\nsamples: 4\n")
    command.run(bulkhead, "run", path, "--backend", "qemu", "--simulate", "--out", out)
    return {(record["workload"], record["op"], record["layout"],
             command.params_text(record["params"])): record for record in command.records(out)}


def answers_check(failures, records):
    """One oracle for each walk, whatever the layout, and another one for another walk."""
    answers = {}
    for key, record in records.items():
        name = command.cell_name(key)
        failures.check(record["status"] in ("ok", "simulated"), f"{name}: {record['status']} {record['reason']}")
        failures.check(len(set(record["samples"])) == 1, f"{name}: samples differ on qemu")
        wanted = answers.setdefault((key[0], key[3]), record["oracle"])
        failures.check(record["oracle"] == wanted and int(wanted, 16),
                       f"{name}: oracle {record['oracle']}, elsewhere {wanted}")
    # Within a workload; what flush-cost gives back is no part of what it walks.
    walks = {(workload, re.sub("freed=[0-9]+,", "", params)): (workload, answer)
             for (workload, params), answer in answers.items()}
    failures.check(len(set(walks.values())) == len(walks), "two different walks have one oracle")


def events_expected(key, params):
    """The events of one operation, which are not 0."""
    _, op, layout, _ = key
    crossings = 2 if RINGS[layout] == 3 else 0  # of one call
    switches = {"touch-across": 2, "switch-cost": 1}.get(op, 0)
    calls = switches + (op in ("flush-free", "flush-cost"))
    tables = switches if layout in APART else 0
    flushes = tables * APART.get(layout, 0)
    freed = params["freed"] if op in ("flush-free", "flush-cost") else 0
    events = {"ring_crossings": crossings * calls, "context_switches": switches,
              "table_switches": tables, "tlb_flushes": flushes + freed}
    return {event: count for event, count in events.items() if count}


def events_check(failures, records):
    for key, record in records.items():
        name, op = command.cell_name(key), key[1]
        seen = {event: count for event, count in record["events"].items() if count}
        if key[2] in RINGS:
            wanted = events_expected(key, record["params"])
            failures.check(seen == wanted, f"{name}: events {seen}, expected {wanted}")
        elif key[2] in ("unchecked", "sip-phys"):  # nothing is ever unmapped there
            failures.check("tlb_flushes" not in seen, f"{name}: events {seen}")
        if op in ("touch-warm", "touch-after", "switch-cost-walk", "flush-walk"):
            failures.check(not seen, f"{name}: a walk alone has events {seen}")


def counts_check(failures, records):
    """Walks are the same instructions whenever they are walked, so that differences are exact."""
    count = {key: statistics.median(record["samples"]) for key, record in records.items()}
    switch = {}
    for key, record in records.items():
        workload, op, layout, params = key
        name = command.cell_name(key)
        if op == "touch-after":
            warm = count[workload, "touch-warm", layout, params]
            failures.check(count[key] == warm,
                           f"{name}: {count[key]:g} instructions, touch-warm {warm:g}")
        elif op == "flush-cost":
            free = count[workload, "flush-free", layout, params]
            failures.check(abs(count[key] - free) <= 4,
                           f"{name}: {count[key]:g} instructions, flush-free {free:g}")
        elif op == "switch-cost" and record["params"]["bytes"]:
            # Whatever is walked, what is left when the walks are subtracted is the switch.
            first = switch.setdefault(layout, count[key])
            failures.check(count[key] == first,
                           f"{name}: {count[key]:g} instructions, {first:g} with other params")
        elif op == "switch-cost-walk" and record["params"]["bytes"] == 256 << 10 and \
                record["params"]["stride"] == 64:
            steps = count[key] / 4096
            failures.check(5 <= steps <= 40, f"{name}: {steps:g} instructions from place to place")


def refuse(failures, bulkhead, folder, workload, settings, text):
    out = os.path.join(folder, "refused")
    options = [option for setting in settings for option in setting.split()]
    for layout in ("sip-phys", "hip-r3-s"):
        shutil.rmtree(out, ignore_errors=True)
        command.run(bulkhead, "run", "--layout", layout, "--workload", workload, *options,
                    "--backend", "qemu", "--out", out, status=4)
        reasons = [record["reason"] for record in command.records(out)]
        failures.check(len(reasons) == 1 and text in reasons[0],
                       f"{layout} {workload} {settings}: {reasons}, not '{text}'")


REFUSED = [
    ("touch", ["--set pages=0"], "param 'pages' must be from 1 to 32768"),
    ("touch", ["--set pages=-1"], "param 'pages' must be from 1 to 32768"),
    ("touch", ["--set pages=32769"], "param 'pages' must be from 1 to 32768"),
    ("touch", ["--set pages=16384", "--memory 64M"], "not enough memory for the pages to walk"),
    ("touch", ["--set stride=32"], "param 'stride' must be a power of two from 64 to 2M"),
    ("touch", ["--set stride=192"], "param 'stride' must be a power of two"),
    ("touch", ["--set pages=1", "--set stride=8192"], "param 'stride' must not exceed 'pages'"),
    ("touch", ["--set other=2"], "param 'other' must be 0 or 1"),
    ("switch-cost", ["--set bytes=-64"], "param 'bytes' must be from 0 to 128M"),
    ("switch-cost", ["--set bytes=134217792"], "param 'bytes' must be from 0 to 128M"),
    ("switch-cost", ["--set bytes=100"], "param 'bytes' must be a multiple of 'stride'"),
    ("switch-cost", ["--set bytes=67108864", "--memory 64M"], "not enough memory"),
    ("flush-cost", ["--set freed=0"], "param 'freed' must be from 1 to 512"),
    ("flush-cost", ["--set freed=513"], "param 'freed' must be from 1 to 512"),
    ("flush-cost", ["--set pages=0"], "param 'pages' must be from 1 to 32768"),
]


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    layouts, others = layouts_find(folder)
    command.run(bulkhead, "check", os.path.join(ROOT, "domain-config", "experiments", "memory.yaml"))
    records = run(bulkhead, folder, "one", layouts, CELLS)
    few = run(bulkhead, folder, "few", others, FEW_CELLS)
    more = run(bulkhead, folder, "strides", CORE, MORE_CELLS)
    cells = sum(OPS[workload] * count for workload, count in
                (("touch", 6), ("switch-cost", 3), ("flush-cost", 4)))
    failures.check(len(records) == cells * len(layouts), f"{len(records)} records")
    failures.check(len(few) == sum(OPS.values()) * len(others), f"{len(few)} records elsewhere")
    failures.check(len(more) == (2 * 3 + 2) * len(CORE), f"{len(more)} records of other strides")
    records.update(few)
    records.update(more)
    answers_check(failures, records)
    events_check(failures, records)
    counts_check(failures, records)
    again = run(bulkhead, folder, "two", CORE, CELLS)
    for key, record in again.items():
        failures.check(all(record[field] == records[key][field]
                           for field in ("samples", "overhead", "events", "oracle")),
                       f"{command.cell_name(key)}: another run differs")
    for workload, settings, text in REFUSED:
        refuse(failures, bulkhead, folder, workload, settings, text)
    failures.finish(f"{len(records)} operations in {len(layouts) + len(others)} layouts, "
                    f"{len(REFUSED)} wrong params refused")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
