"""A profile accounts for every instruction of the median that `run` gives, under names that are there.

usage: profile.py BULKHEAD DIR        DIR: a scratch folder
"""
import csv
import io
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

import command

LAYOUTS = ("sip-page", "hip-r3-s")
FEW = ("--samples", "3", "--batch", "8")
PAIR = ("sip-page", "ping-pong")


def layout(folder, base, safety):
    """A layout like the base, with code of that kind; its path."""
    path = os.path.join(folder, f"{base}-{safety}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"layout: {base}-{safety}\nextends: {base}\nsafety: {safety}\n")
    return path


def measured(bulkhead, folder, name, workload, *settings):
    """{operation: median} of a run."""
    command.run(bulkhead, "run", "--layout", name, "--workload", workload, "--backend", "qemu",
                "--out", folder, *settings)
    medians = {record["op"]: statistics.median(record["samples"])
               for record in command.records(folder)}
    shutil.rmtree(folder)
    return medians


def profiled(bulkhead, *arguments):
    return json.loads(command.run(bulkhead, "profile", *arguments, "--format", "json"))


def rows(operation):
    return {(row["where"], row["function"]): row["instructions"] for row in operation["rows"]}


def check_sums(failures, what, profile, medians):
    """Rows, total and median agree with each other and with the run."""
    got = {operation["op"]: operation for operation in profile["operations"]}
    failures.check(got.keys() == medians.keys(), f"{what}: operations {list(got)}")
    for name, operation in got.items():
        total = sum(row["instructions"] for row in operation["rows"])
        for figure in (total, operation["total"], operation["median"]):
            failures.check(abs(figure - medians[name]) < 1e-6,
                           f"{what}: {name} has {figure} instructions, in the run {medians[name]}")
        shares = sum(row["share"] for row in operation["rows"])
        failures.check(abs(shares - 1) < 1e-6, f"{what}: shares add up to {shares}")
        for row in operation["rows"]:
            failures.check(row["instructions"] > 0, f"{what}: {row}")
            failures.check(row["where"] != "unknown", f"{what}: {row}")


def check_pairs(failures, bulkhead, folder):
    out = os.path.join(folder, "set")
    for base in LAYOUTS:
        for safety in ("checked", "unchecked", "masked"):
            path = layout(folder, base, safety)
            what = f"ping-pong in {base}, {safety}"
            profile = profiled(bulkhead, path, "ping-pong", *FEW)
            check_sums(failures, what, profile,
                       measured(bulkhead, out, path, "ping-pong", *FEW))
            names = rows(profile["operations"][0])
            wanted = [("client", "sip_main"), ("server", "sip_main"), ("kernel", "abi_send"),
                      ("kernel", "[switch]")]
            if base == "hip-r3-s":
                wanted += [("kernel", "[system call]"), ("system call stubs", "stub_send")]
            for name in wanted:
                failures.check(name in names, f"{what}: no {name} among {sorted(names)}")
            failures.check(profile["safety"] == safety, f"{what}: {profile['safety']}")
    # SIPs that come and go, faults in the middle, sums of stretches, an even number of samples.
    for name in LAYOUTS:
        for workload in ("create-sip", "fault-recover"):
            settings = ("--samples", "2", "--batch", "3")
            check_sums(failures, f"{workload} in {name}", profiled(bulkhead, name, workload, *settings),
                       measured(bulkhead, out, name, workload, *settings))


def check_views(failures, bulkhead):
    whole = profiled(bulkhead, *PAIR, *FEW)["operations"][0]
    for view, key in (("sip", "where"), ("domain", "domain")):
        sums = {}
        for row in whole["rows"]:
            sums[row[key]] = sums.get(row[key], 0) + row["instructions"]
        part = profiled(bulkhead, *PAIR, *FEW, "--by", view)["operations"][0]
        got = {row[key]: row["instructions"] for row in part["rows"]}
        failures.check(got == sums, f"--by {view}: {got}, expected {sums}")
    top = profiled(bulkhead, *PAIR, *FEW, "--top", "2")["operations"][0]
    failures.check(top["rows"] == whole["rows"][:2], f"--top 2: {top['rows']}")
    failures.check(abs(top["rest"] + sum(row["instructions"] for row in top["rows"]) -
                       whole["total"]) < 1e-6, f"--top 2 leaves out {top['rest']}")
    text = command.run(bulkhead, "profile", *PAIR, *FEW, "--format", "csv")
    table = list(csv.DictReader(io.StringIO(text)))
    failures.check([float(row["instructions"]) for row in table] ==
                   [row["instructions"] for row in whole["rows"]], f"CSV: {text}")
    text = command.run(bulkhead, "profile", *PAIR, *FEW, "--top", "3")
    failures.check("total" in text and "more" in text and "instructions" in text, text)


def refused(failures, status, says, *command_line, environment=None):
    done = subprocess.run(command_line, capture_output=True, text=True, check=False,
                          env={**os.environ, **(environment or {})})
    failures.check(done.returncode == status and says in done.stderr and not done.stdout,
                   f"status {done.returncode} instead of {status}, or not \"{says}\": "
                   f"{command_line[1:]}: {done.stderr}")


def check_wrong(failures, bulkhead, folder):
    profile = (bulkhead, "profile")
    refused(failures, 1, "did you mean 'sip-page'?", *profile, "sip-paeg", "ping-pong")
    refused(failures, 1, "no operation ping-pang", *profile, *PAIR, "--op", "ping-pang")
    refused(failures, 1, "--top is 0", *profile, *PAIR, "--top", "0")
    refused(failures, 2, "name a layout and a workload", *profile, "sip-page")
    refused(failures, 2, "unknown format \"html\"", *profile, *PAIR, "--format", "html")
    refused(failures, 2, "--by takes", *profile, *PAIR, "--by", "line")
    refused(failures, 2, "perf kvm", *profile, *PAIR, "--backend", "kvm")
    refused(failures, 2, "bochs has none", *profile, *PAIR, "--backend", "bochs")
    refused(failures, 2, "did you mean qemu?", *profile, *PAIR, "--backend", "qmeu")
    refused(failures, 2, "without --preempt", *profile, *PAIR, "--preempt")
    refused(failures, 3, "qemu-system-x86_64 is not in $PATH", *profile, *PAIR,
            environment={"PATH": folder})
    # A guest that fails says why, and so does one that cannot begin.
    refused(failures, 4, "'reads' is not from", *profile, "sip-page", "webfiles", "--set", "reads=0")
    refused(failures, 3, "needs IBPB", *profile, "hip-r3-s-ibpb", "ping-pong")


def check_stripped(failures, bulkhead, folder):
    """Without symbols functions are addresses; a kernel without them is refused."""
    images = os.path.join(folder, "images")
    built = os.path.join(os.path.dirname(bulkhead), "images")
    os.mkdir(images)
    for name in ("kernel.elf", "ping-pong-client.checked.elf", "ping-pong-server.checked.elf"):
        shutil.copy(os.path.join(built, name), images)
    os.environ["BULKHEAD_IMAGES"] = images
    subprocess.run(["strip", os.path.join(images, "ping-pong-server.checked.elf")], check=True)
    names = rows(profiled(bulkhead, *PAIR, *FEW)["operations"][0])
    failures.check(any(where == "server" and function.startswith("+0x")
                       for where, function in names), f"no address among {sorted(names)}")
    subprocess.run(["strip", os.path.join(images, "kernel.elf")], check=True)
    refused(failures, 3, "has no symbol composed_code", bulkhead, "profile", *PAIR)
    del os.environ["BULKHEAD_IMAGES"]


def check_interrupt(failures, bulkhead):
    with subprocess.Popen([bulkhead, "profile", *PAIR, "--samples", "1000", "--batch", "1048576"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(2)
        children = []
        for task in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{task}/children", encoding="ascii") as file:
                children += file.read().split()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        failures.check(process.returncode == 130 and "interrupted" in err and not out,
                       f"status {process.returncode} after SIGINT: {out}{err}")
        failures.check(children and not any(os.path.exists(f"/proc/{child}")
                                            for child in children), f"{children} are left")


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    check_pairs(failures, bulkhead, folder)
    check_views(failures, bulkhead)
    check_wrong(failures, bulkhead, folder)
    check_stripped(failures, bulkhead, folder)
    check_interrupt(failures, bulkhead)
    failures.finish("each instruction is somewhere")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
