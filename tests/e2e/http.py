"""The HTTP pipeline: one answer in all layouts and codes, whatever goes on behind it, and what it costs.

usage: http.py BULKHEAD DIR
"""
import os
import shutil
import sys

import command

LAYOUTS = ["unchecked", "sip-phys", "sip-page", "hip-r0", "hip-r0-s", "hip-r3", "hip-r3-s",
           "monolithic", "microkernel", "hip-r3-s-kpti-pcid", "pku", "hardened",
           "microkernel-shared", "layouts/apart-masked.yaml"]
CHECKED = ["sip-phys", "hip-r3-s"]  # where params are varied
# What may not change the answers, and what must.
SAME = [{"window": 1}, {"window": 32}, {"cache": 0}, {"requests": 1024}]
OTHER = [{"requests": 256, **params} for params in (
    {"level": 0}, {"level": 9}, {"pages": 100, "broken": 0}, {"pages": 0, "broken": 100})]
MESSAGES = {"http-broken": 2, "http-unmodified": 5, "http-file": 5, "http-page": 5}
REFUSED = [
    ("requests=0", "'requests' is not from 1 to 256K"),
    ("pages=101", "'pages' is not from 0 to 100"),
    ("broken=71", "'broken' is not from 0 to 100 less 'pages'"),
    ("window=0", "'window' is not from 1 to 32"),
    ("window=33", "'window' is not from 1 to 32"),
    ("level=10", "'level' is not from 0 to 9"),
]


def run(bulkhead, folder, name, layouts, params):
    """The records of an experiment on qemu; `params`: one set for each of its cells."""
    path, out = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"experiment: {name}\nlayouts: [{', '.join(layouts)}]\nworkloads:\n")
        for settings in params:
            text = ", ".join(f"{key}: {value}" for key, value in settings.items())
            file.write(f"  - {{workload: http, params: {{{text}}}}}\n")
    command.run(bulkhead, "run", path, "--backend", "qemu", "--simulate", "--out", out)
    return command.records(out)


def same_check(failures, records):
    """Every layout gives the same answers to the same requests."""
    oracles = {record["oracle"] for record in records}
    failures.check(len(oracles) == 1 and int(min(oracles), 16), f"oracles {sorted(oracles)}")
    for record in records:
        name = f"{record['layout']} {record['op']} {command.params_text(record['params'])}"
        failures.check(record["status"] in ("ok", "simulated"), f"{name}: {record['reason']}")
        wanted = MESSAGES.get(record["op"])
        seen = record["events"]["messages"]
        failures.check(wanted is None or seen == wanted, f"{name}: {seen} messages, not {wanted}")
    return oracles


def growth_check(failures, records):
    """Neither a longer run nor an earlier one makes a request dearer."""
    costs = {}
    for record in records:
        if record["op"] == "http-request":
            cost = max(record["samples"])
            spread = cost - min(record["samples"])
            name = (record["layout"], command.params_text(record["params"]))
            failures.check(spread <= cost * 0.002, f"{name}: samples differ by {spread}")
            costs.setdefault(record["layout"], {})[record["params"]["requests"],
                                                   record["params"]["window"],
                                                   record["params"]["cache"]] = cost
    for layout in CHECKED:
        once, twice = costs[layout][512, 8, 1], costs[layout][1024, 8, 1]
        failures.check(abs(twice - once) <= once * 0.002,
                       f"{layout}: {once} instructions a request, {twice} in twice as many")
        failures.check(costs[layout][512, 32, 1] <= costs[layout][512, 1, 1],
                       f"{layout}: a wider window costs more")
        failures.check(costs[layout][512, 8, 0] > once * 1.1, f"{layout}: the cache saves nothing")
    return costs


def refuse(failures, bulkhead, folder, setting, text):
    out = os.path.join(folder, "refused")
    shutil.rmtree(out, ignore_errors=True)
    command.run(bulkhead, "run", "--layout", "sip-phys", "--workload", "http", "--set", setting,
                "--backend", "qemu", "--out", out, status=4)
    reasons = [record["reason"] for record in command.records(out)]
    failures.check(len(reasons) == 1 and text in reasons[0], f"{setting}: {reasons}, not '{text}'")


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "layouts"))
    with open(os.path.join(folder, "layouts", "apart-masked.yaml"), "w", encoding="utf-8") as file:
        file.write("layout: apart-masked\nabout: As hip-r3-s, in masked code.\nextends: hip-r3-s\n"
                   "safety: masked\n")
    records = run(bulkhead, folder, "layouts-all", LAYOUTS, [{}])
    failures.check(len(records) == 5 * len(LAYOUTS), f"{len(records)} records")
    varied = run(bulkhead, folder, "params", CHECKED, SAME)
    failures.check(len(varied) == 5 * len(CHECKED) * len(SAME), f"{len(varied)} records of params")
    oracles = same_check(failures, records + varied)
    growth_check(failures, records + varied)

    others = {}
    for record in run(bulkhead, folder, "others", CHECKED, OTHER):
        failures.check(record["status"] == "ok", f"{record['layout']}: {record['reason']}")
        others.setdefault(command.params_text(record["params"]), set()).add(record["oracle"])
    failures.check(len(others) == len(OTHER), f"records of {sorted(others)} only")
    for params, values in others.items():
        failures.check(len(values) == 1 and not values & oracles, f"{params}: oracles {values}")
    for setting, text in REFUSED:
        refuse(failures, bulkhead, folder, setting, text)
    failures.finish(f"{len(LAYOUTS)} layouts, {len(SAME) + len(OTHER)} sets of params, "
                    f"{len(REFUSED)} refused")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
