#!/usr/bin/python3
"""What SIPs do in a guest: `guest.py threads|tax|floats BULKHEAD FOLDER WORK BUDGET`.
`threads` runs threads of every kind of code, with and without preemption, and lets them go wrong; `tax`
holds the instructions of the compute kernels, checked to unchecked, against the budget; `floats` wants one
checksum of floating point from every kind of code, however its registers are switched, preempted or not,
and a refusal where nothing switches them."""

import json
import math
import pathlib
import subprocess
import sys

KINDS = ("unchecked", "checked", "masked")
BREAKS = {1: "stack overflow", 2: "bad indirect call", 3: "bad indirect call"}


def layout(work, base, kind):
    path = work / f"{base}-{kind}.yaml"
    path.write_text(f"layout: {base}-{kind}\nabout: As {base}, with {kind} code.\n"
                    f"extends: {base}\nsafety: {kind}\n", "ascii")
    return path


def run(bulkhead, out, layout_path, workload, *more):
    subprocess.run(["rm", "-rf", out], check=True)
    return subprocess.run([bulkhead, "run", "--layout", layout_path, "--workload", workload,
                           "--backend", "qemu", "--out", out, "--seed", "1", *more],
                          capture_output=True, text=True, check=False)


def cells(bulkhead, out):
    done = subprocess.run([bulkhead, "report", out, "--format", "json"], capture_output=True,
                          text=True, check=True)
    return {cell["op"]: cell["median"] for cell in json.loads(done.stdout)["cells"]}


def need(condition, text):
    if not condition:
        sys.exit(text)


def threads(bulkhead, folder, work, _):
    workload = folder / "threads" / "threads.yaml"
    for base in ("sip-page", "hip-r3"):
        for kind in KINDS:
            path = layout(work, base, kind)
            for options in (("--no-preempt", "--set", "full=1"), ("--preempt",)):
                done = run(bulkhead, work / "threads", path, workload, *options)
                need(done.returncode == 0,
                     f"{base}, {kind}, {options}:\n{done.stdout}{done.stderr}")
            for number, fault in BREAKS.items():
                if kind == "unchecked":
                    continue
                done = run(bulkhead, work / "threads", path, workload, "--set", f"break={number}")
                need(done.returncode == 4 and fault in done.stdout + done.stderr,
                     f"{base}, {kind}, break={number}: want '{fault}' and status 4, got "
                     f"{done.returncode}:\n{done.stdout}{done.stderr}")
            print(f"{base} {kind}: threads come and go")


def tax(bulkhead, _, work, budget):
    figures = {}
    for kind in KINDS:
        out = work / f"compute-{kind}"
        done = run(bulkhead, out, layout(work, "sip-page", kind), "compute")
        need(done.returncode == 0, done.stdout + done.stderr)
        figures[kind] = cells(bulkhead, out)
    means = {}
    for kind in KINDS[1:]:
        ratios = {op: figures[kind][op] / figures["unchecked"][op] for op in figures["unchecked"]}
        means[kind] = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
        print(kind, " ".join(f"{op} {ratio:.3f}" for op, ratio in sorted(ratios.items())),
              f"geometric mean {means[kind]:.3f}")
    need(means["checked"] <= budget,
         f"checked code takes {means['checked']:.3f} times the instructions, the budget is {budget}")


def floats(bulkhead, _, work, __):
    layouts = []
    for number, (base, kind, keys) in enumerate(
            (base, kind, keys) for base in ("sip-phys", "hip-r3-s") for kind in KINDS
            for keys in ("fpu: eager", "fpu: lazy", "fpu: lazy\nretpoline: on")):
        layouts.append(work / f"float-{number}.yaml")
        layouts[-1].write_text(f"layout: float-{number}\nabout: As {base}, {kind}, {keys.split()}.\n"
                               f"extends: {base}\nsafety: {kind}\n{keys}\n", "ascii")
    answers = set()
    # As many turns both times. Preempted, a loop of one sample: an interrupt in one that is subtracted makes samples differ.
    for preempt, batch, samples in (("--no-preempt", 40, 499), ("--preempt", 10000, 1)):
        experiment, out = work / f"floats{preempt}.yaml", work / f"floats{preempt}"
        experiment.write_text(f"experiment: floats\nlayouts: [{', '.join(map(str, layouts))}]\n"
                              "workloads: [float]\nwarmup: 0\n"
                              f"batch: {batch}\nsamples: {samples}\n", "ascii")
        subprocess.run(["rm", "-rf", out], check=True)
        done = subprocess.run([bulkhead, "run", experiment, "--backend", "qemu", "--out", out, preempt],
                              capture_output=True, text=True, check=False)
        need(done.returncode == 0, f"{preempt}:\n{done.stdout}{done.stderr}")
        records = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
        need(len(records) == len(layouts), f"{preempt}: {len(records)} records")
        answers |= {record["oracle"] for record in records}
        print(f"{preempt}: {len(records)} layouts, checksums {answers}")
    need(len(answers) == 1, "the checksums differ")
    for kind in KINDS:
        done = run(bulkhead, work / "refused", layout(work, "hip-r3", kind), "float")
        need(done.returncode == 1 and "image 'float' uses floating point" in done.stderr and
             "write fpu: eager or fpu: lazy" in done.stderr,
             f"without fpu: status {done.returncode}: {done.stderr}")


def main():
    what, bulkhead, folder, work, budget = sys.argv[1:]
    work = pathlib.Path(work)
    work.mkdir(parents=True, exist_ok=True)
    {"threads": threads, "tax": tax, "floats": floats}[what](bulkhead, pathlib.Path(folder), work,
                                             float(budget))


if __name__ == "__main__":
    main()
