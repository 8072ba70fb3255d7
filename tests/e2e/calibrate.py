"""Primitives alone, and the floors that they add up to.

usage: calibrate.py BULKHEAD DIR

On qemu and bochs a primitive is as many instructions as it has, in every layout: exactly so. What this
CPU has not is unavailable, also with --simulate. Floors of a few cells are added up here once more.
"""
import json
import os
import shutil
import statistics
import sys

import command

HERE = os.path.dirname(os.path.abspath(__file__))
COUNTS = {  # instructions of each; bochs counts one that faults, and qemu one more of each rep
    "clock": 3, "syscall": 2, "cr3-flush": 1, "cr3-flush-tag": 1, "cr3-keep": 1, "invlpg": 1,
    "invpcid-page": 1, "invpcid-tag": 1, "refill-64": 1, "wrpkru": 1, "rdpkru": 1, "swapgs-pair": 2,
    "page-fault-ring3": 3, "page-fault-ring0": 3, "interrupt-ring3": 2, "interrupt-ring0": 2,
    "port-exit": 1, "cpuid": 1, "ibpb": 1, "l1d-flush": 1, "buffer-clear": 1, "rsb-fill": 82,
    "fxsave-fxrstor": 2, "cr0-ts": 2, "stac-clac": 2, "sti-cli": 2, "rdmsr-lstar": 1,
    "wrmsr-lstar": 1, "rdmsr-ssp": 1, "wrmsr-ssp": 1, "copy-1k": 1024, "copy-4k": 4096,
    "copy-4k-words": 512,
}
GATE_CALL = range(5, 30)  # the compiler has a part in it
LACKING = {  # on qemu, with a CPU that has all it can
    "cr3-flush-tag": "PCID", "cr3-keep": "PCID", "ibpb": "IBPB", "l1d-flush": "L1D_FLUSH",
    "buffer-clear": "MD_CLEAR", "rdmsr-ssp": "CET_SS", "wrmsr-ssp": "CET_SS",
    "invpcid-page": "PCID, INVPCID", "invpcid-tag": "PCID, INVPCID",
}
LAYOUTS = ["hip-r3", "unchecked", "hip-r3-s-kpti-pcid", "linux-like", "hardened"]
BESIDE = ["hip-r3-s-kpti-pcid", "hardened"]


def experiment(folder, name, layouts, workloads):
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"experiment: {name}\nlayouts: [{', '.join(layouts)}]\n"
                   f"workloads: [{', '.join(workloads)}]\nbatch: 16\nsamples: 4\nwarmup: 2\n")
    return path


def run(bulkhead, folder, name, path, backend):
    out = os.path.join(folder, name)
    command.run(bulkhead, "run", path, "--backend", backend, "--simulate", "--out", out)
    return out


def count_expected(op, backend):
    count = COUNTS[op]
    if op.startswith("page-fault"):
        return count + (backend == "bochs")
    return count + (op.startswith("copy") and backend == "qemu")


def primitives_check(failures, out, backend, layouts):
    seen = {}
    for record in command.records(out):
        op, layout = record["op"], record["layout"]
        name = f"{backend}: {layout} {op}"
        seen.setdefault(layout, set()).add(op)
        if backend == "qemu" and op in LACKING:
            failures.check((record["status"], record["reason"]) ==
                           ("unavailable", "needs " + LACKING[op]),
                           f"{name}: {record['status']} {record['reason']}")
            continue
        if not failures.check(record["status"] in ("ok", "simulated"),
                              f"{name}: {record['status']} {record['reason']}"):
            continue
        count = statistics.median(record["samples"])
        failures.check(len(set(record["samples"])) == 1, f"{name}: samples differ")
        failures.check(not any(record["events"].values()), f"{name}: events {record['events']}")
        if op == "gate-call":
            failures.check(GATE_CALL[0] <= count <= GATE_CALL[-1], f"{name}: {count:g}")
        elif failures.check(op in COUNTS, f"{name}: not known here"):
            failures.check(count == count_expected(op, backend),
                           f"{name}: {count:g}, expected {count_expected(op, backend)}")
    for layout in layouts:
        failures.check(seen.get(layout) == {*COUNTS, "gate-call"},
                       f"{backend}: {layout} measured {sorted(seen.get(layout, []))}")


def floor_expected(cell, cost):
    """As docs/results.md has it, of the events that these cells have."""
    events = cell["events"]
    flushing = min(events["table_switches"], events["tlb_flushes"])
    return (events["ring_crossings"] / 2 * cost["syscall"] + flushing * cost["cr3-flush"]
            + (events["table_switches"] - flushing) * cost.get("cr3-keep", 0)
            + (events["tlb_flushes"] - flushing) * cost["invlpg"]
            + events["bytes_copied"] * cost["copy-4k-words"] / 4096)


def floors_check(failures, bulkhead, out, calibration):
    """Each cell's floor, whose primitives are beside it (calibration None) or in another set."""
    options = ["--calibration", calibration] if calibration else []
    report = json.loads(command.run(bulkhead, "report", out, "--format", "json", *options))
    cost = {cell["op"]: cell["median"] for cell in report["primitives"] if cell["status"] == "ok"}
    failures.check(report["primitives"] and report["cells"], f"{out}: no primitives or no cells")
    for cell in report["cells"]:
        name = f"{out}: {cell['layout']} {cell['workload']}"
        failures.check(cell["workload"] != "calibrate", f"{name}: among the cells")
        wanted = floor_expected(cell, cost)
        failures.check(abs(cell["floor"] - wanted) < 1e-6, f"{name}: {cell['floor']}, not {wanted}")
        failures.check(cell["floor"] <= cell["median"], f"{name}: floor above the cost")
        over = cell["median"] / wanted if wanted else None
        failures.check(over == cell["over_floor"] or abs(over - cell["over_floor"]) < 1e-9,
                       f"{name}: cost over floor {cell['over_floor']}, not {over}")
        lacks = ["cr3-keep"] if cell["events"]["table_switches"] > cell["events"]["tlb_flushes"] \
            and "cr3-keep" not in cost else []
        failures.check(cell["floor_lacks"] == lacks, f"{name}: lacks {cell['floor_lacks']}")
    for form in ("text", "md", "html"):
        page = command.run(bulkhead, "report", out, "--format", form, *options)
        failures.check("Primitives and floors" in page and "SYSCALL from ring 3" in page
                       and "floor (cost ÷ floor)" in page, f"{out}: {form} has no floors")
    return len(report["cells"])


def beside_check(failures, bulkhead, folder, backend):
    """Whoever is there too does not notice: its figures are as without."""
    workload = os.path.join(HERE, "workloads", "beside.yaml")
    out = run(bulkhead, folder, f"beside-{backend}",
              experiment(folder, "beside", BESIDE,
                         [workload, "{workload: ping-pong, params: {bytes: 64}}"]), backend)
    found = {}
    for record in command.records(out):
        if record["op"] in ("ping-pong", ""):
            found.setdefault(record["layout"], []).append(
                [record[key] for key in ("status", "oracle", "samples", "events")])
    for layout in BESIDE:
        pair = found.get(layout, [])
        failures.check(len(pair) == 2 and pair[0] == pair[1],
                       f"{backend}: {layout}: ping-pong beside a calibration differs: {pair}")


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    cells = 0
    work = ["abi-call", "yield", "{workload: ping-pong, params: {bytes: 4096}}"]
    for backend, layouts in (("qemu", ["sip-page", "hip-r3-s"]), ("bochs", ["hip-r3-s-pcid"])):
        path = experiment(folder, "primitives", LAYOUTS, ["calibrate"])
        alone = run(bulkhead, folder, f"alone-{backend}", path, backend)
        primitives_check(failures, alone, backend, LAYOUTS)
        path = experiment(folder, "together", layouts, ["calibrate", *work])
        cells += floors_check(failures, bulkhead, run(bulkhead, folder, f"together-{backend}",
                                                      path, backend), None)
        path = experiment(folder, "work", ["hip-r3"], work)
        cells += floors_check(failures, bulkhead, run(bulkhead, folder, f"work-{backend}", path,
                                                      backend), alone)
    beside_check(failures, bulkhead, folder, "bochs")
    failures.finish(f"{len(COUNTS) + 1} primitives in {len(LAYOUTS)} layouts on two engines, "
                    f"{cells} floors")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
