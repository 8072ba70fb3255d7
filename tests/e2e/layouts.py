"""Layouts that nobody has seen: the files in layouts/, and as many random ones as asked for.

usage: layouts.py BULKHEAD DIR [--random N [--seed S]]

Each must pass `check`, run every workload to the end, and give the answer that sip-page gives. Random
ones ask for any mechanism; what the CPU of the engine lacks for them is simulated.
"""
import glob
import os
import shutil
import sys

import command
import random_layout

HERE = os.path.dirname(os.path.abspath(__file__))
THREE = os.path.join(HERE, "workloads", "three.yaml")
SIZES = [1, 5000]


def experiment_write(path, layouts):
    with open(path, "w", encoding="utf-8") as file:
        file.write("experiment: unseen\nlayouts:\n")
        file.writelines(f"  - {layout}\n" for layout in ["sip-page", *layouts])
        file.write("workloads:\n")
        for workload in ("ping-pong", THREE):
            file.write(f"  - {{workload: {workload}, params: {{bytes: {SIZES}}}}}\n")
        file.write("batch: 8\nsamples: 8\ntimeout: 30\n")


def layouts_find(folder, count, seed):
    if not count:
        return sorted(glob.glob(os.path.join(HERE, "layouts", "*.yaml")))
    paths = []
    for index in range(count):
        name = f"random-{seed}-{index}"
        paths.append(os.path.join(folder, name + ".yaml"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(random_layout.generate(name, seed * 1000003 + index))
    return paths


def main(bulkhead, folder, count, seed):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    layouts = layouts_find(folder, count, seed)
    command.run(bulkhead, "check", *layouts)
    experiment = os.path.join(folder, "unseen.yaml")
    experiment_write(experiment, layouts)
    command.run(bulkhead, "check", experiment)
    out = os.path.join(folder, "set")
    command.run(bulkhead, "run", experiment, "--backend", "qemu", "--out", out,
                *(["--simulate"] if count else []))

    records = command.records(out)
    answers = {(record["workload"], record["params"]["bytes"]): record["oracle"]
               for record in records
               if record["layout"] == "sip-page" and record["op"] == "ping-pong"}
    seen = set()
    for record in records:
        what = f"{record['layout']} {record['workload']} {record['params']} {record['op']}"
        failures.check(record["status"] in (("ok", "simulated") if count else ("ok",)),
                       f"{what}: {record['status']} {record['reason']}")
        if record["op"] == "ping-pong":
            seen.add((record["layout"], record["workload"], record["params"]["bytes"]))
            failures.check(record["oracle"] == answers[record["workload"],
                                                       record["params"]["bytes"]]
                           and int(record["oracle"], 16), f"{what}: oracle {record['oracle']}")
    failures.check(len(seen) == 2 * len(SIZES) * (len(layouts) + 1), f"only {len(seen)} cells")
    failures.finish(f"{len(layouts)} layouts, {len(seen)} cells, all with the right answer")


if __name__ == "__main__":
    options = dict(zip(sys.argv[3::2], sys.argv[4::2]))
    if len(sys.argv) % 2 == 0 or len(sys.argv) < 3 or options.keys() - {"--random", "--seed"}:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(options.get("--random", 0)), int(options.get("--seed", 1)))
