"""SQLite over a disk in another SIP: one answer in all layouts and codes, and from two at a time.

usage: sqlite.py BULKHEAD DIR
"""
import os
import shutil
import subprocess
import sys

import command

BASES = ["sip-phys", "sip-page", "hip-r0-s", "hip-r3", "hip-r3-s"]
KINDS = ["unchecked", "checked", "masked"]
SIZE = {"inserts": 150, "selects": 150, "cache": 4}
# What may not change the rows, and what must not be taken.
SAME_ROWS = [{"rows": 7}, {"rows": 1000}, {"cache": 256}, {"selects": 1}]
REFUSED = [
    ("inserts=0", "'inserts' is not from 1 to 40000"),
    ("rows=0", "'rows' is not from 1 to 40000"),
    ("selects=0", "'selects' is not from 1 to 16M"),
    ("cache=257", "'cache' is not from 1 to 256"),
]


def layout(folder, base, kind, fpu="eager"):
    name = f"{base}-{kind}-{fpu}"
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"layout: {name}\nextends: {base}\nsafety: {kind}\nfpu: {fpu}\n")
    return path


def run(bulkhead, folder, name, layouts, cells, *options, seed=1):
    """The records of an experiment on qemu; `cells`: a workload with a set of params each."""
    path, out = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"experiment: {name}\nlayouts: [{', '.join(layouts)}]\nseed: {seed}\n"
                   "workloads:\n")
        for workload, params in cells:
            text = ", ".join(f"{key}: {value}" for key, value in params.items())
            file.write(f"  - {{workload: {workload}, params: {{{text}}}}}\n")
    command.run(bulkhead, "run", path, "--backend", "qemu", "--out", out, *options)
    return command.records(out)


def oracles(failures, records):
    """{op: its one oracle}"""
    found = {}
    for record in records:
        name = f"{record['layout']} {record['op']} {command.params_text(record['params'])}"
        failures.check(record["status"] == "ok", f"{name}: {record['reason']}")
        found.setdefault(record["op"], {}).setdefault(record["oracle"], []).append(name)
    for op, values in found.items():
        failures.check(len(values) == 1, f"{op}: oracles {values}")
    return {op: min(values) for op, values in found.items()}


def everywhere_check(failures, bulkhead, folder):
    """Each layout with each kind of code, and what its boundary brings with it."""
    layouts = [layout(folder, base, kind) for base in BASES for kind in KINDS]
    records = run(bulkhead, folder, "everywhere", layouts, [("sqlite", SIZE)])
    failures.check(len(records) == 2 * len(layouts), f"{len(records)} records")
    for op in ("sqlite-insert", "sqlite-select"):
        messages = {record["events"]["messages"] for record in records if record["op"] == op}
        failures.check(len(messages) == 1 and min(messages) > 0, f"{op}: messages {messages}")
    return oracles(failures, records)


def two_check(failures, bulkhead, folder, alone):
    """Two at a time with other rows each, taken off the processor or not, answer as each alone."""
    other = oracles(failures, run(bulkhead, folder, "other", [layout(folder, "hip-r3", "checked")],
                                  [("sqlite", SIZE)], seed=2))
    failures.check(other["sqlite-insert"] != alone["sqlite-insert"], "the seed changes no row")
    wanted = alone | {op + "-2": oracle for op, oracle in other.items()}
    layouts = [layout(folder, base, kind, fpu) for base in ("sip-page", "hip-r3-s")
               for kind, fpu in (("unchecked", "lazy"), ("checked", "eager"), ("masked", "lazy"))]
    for preempt in ("--preempt", "--no-preempt"):
        records = run(bulkhead, folder, "two" + preempt, layouts, [("sqlite-pair", SIZE)], preempt)
        failures.check(len(records) == 4 * len(layouts), f"{preempt}: {len(records)} records")
        found = oracles(failures, records)
        failures.check(found == wanted, f"{preempt}: two answer {found}, each alone {wanted}")
        saves = [record["events"]["state_saves"] for record in records]
        failures.check(min(saves) > 0, f"{preempt}: registers were not saved: {saves}")


def same_check(failures, bulkhead, folder, alone):
    """How rows are put into transactions and cached is not seen in them."""
    cells = [("sqlite", SIZE | change) for change in SAME_ROWS]
    records = run(bulkhead, folder, "same", [layout(folder, "sip-phys", "unchecked")], cells)
    for record in records:
        if record["op"] == "sqlite-insert":
            failures.check(record["oracle"] == alone["sqlite-insert"],
                           f"other rows with {record['params']}")
    costs = {record["params"]["rows"]: record["samples"][0] for record in records
             if record["op"] == "sqlite-insert"}
    failures.check(2 * costs[1000] < costs[1], f"a transaction costs nothing: {costs}")


def refuse_check(failures, bulkhead, folder):
    path, out = layout(folder, "sip-phys", "unchecked"), os.path.join(folder, "refused")
    for setting, text in REFUSED:
        shutil.rmtree(out, ignore_errors=True)
        command.run(bulkhead, "run", "--layout", path, "--workload", "sqlite", "--set", setting,
                    "--backend", "qemu", "--out", out, status=4)
        reason = command.records(out)[0]["reason"]
        failures.check(text in reason, f"{setting}: '{reason}'")
    path = os.path.join(folder, "retpoline.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("layout: retpoline\nextends: sip-phys\nfpu: eager\nretpoline: on\n")
    for refused, text in (("sip-phys", "write fpu: eager or fpu: lazy"),
                          (path, "not built with what the layout asks of code")):
        done = subprocess.run([bulkhead, "explain", refused, "sqlite"], capture_output=True,
                              text=True, check=False)
        failures.check(done.returncode == 1 and text in done.stderr,
                       f"{refused}: status {done.returncode}: {done.stderr}")


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    alone = everywhere_check(failures, bulkhead, folder)
    two_check(failures, bulkhead, folder, alone)
    same_check(failures, bulkhead, folder, alone)
    refuse_check(failures, bulkhead, folder)
    failures.finish(f"{len(BASES)} layouts, {len(KINDS)} kinds of code, two at a time: {alone}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
