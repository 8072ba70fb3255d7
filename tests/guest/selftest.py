"""The kernel's self-tests through a real boot, in every layout; their TAP goes to standard output.

usage: selftest.py BULKHEAD DIR qemu|kvm|bochs

Where doctor calls the kvm of this machine not usable but it boots guests, the tests run there all the
same in a few layouts: they are over before any figure is taken. Exits with 77 where nothing boots.
"""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import command  # noqa: E402 (it is found by the line above)

TABLES = re.compile(r"tables of domain '(.*)': kernel pages")
RING3 = re.compile(r"tables of domain '(.*)': what ring 3 sees of the kernel: (.*)")
UNTRUSTED = ["hip-r0-s", "hip-r3-s"]  # it is slow there: one layout of each ring
IDENTITY = ("largest", "1G")  # pages that protect nothing, so that some tests have nothing to test
# A kvm that interprets ring 0 may look into the tables at each access.
WITHOUT_TLB = "a page that was unmapped in the current space is gone"
# What an engine's CPU cannot show, by the mechanism without which nothing is left out.
NOT_OBSERVABLE = {
    "a page that was unmapped in another space is gone when it is entered": "tag: pcid",
    "global entries outlive a load of CR3, and others do not": "global: on",
    "a foreign key's page is reached unless PKU stops it": "pku: on",
}


def sections(tap):
    """{layout: lines} of the console texts, which begin with '# LAYOUT WORKLOAD PARAMS, boot N'."""
    found, current = {}, None
    for line in tap.splitlines():
        head = re.match(r"# (\S+) .*, boot 0$", line)
        if head:
            current = found.setdefault(head.group(1), [])
        elif current is not None:
            current.append(line)
    return found


def tap_check(failures, layout, lines):
    """Checks the numbering, that all passed, and the plan; returns [(name, skipped)]."""
    tests = []
    plans = [line for line in lines if re.fullmatch(r"1\.\.\d+", line)]
    for line in lines:
        test = re.match(r"(not )?ok (\d+) - (.*?)( # SKIP .*)?$", line)
        if test:
            tests.append((test.group(3), bool(test.group(4))))
            failures.check(not test.group(1), f"{layout}: {line}")
            failures.check(int(test.group(2)) == len(tests), f"{layout}: out of order: {line}")
        failures.check(not line.startswith("Bail out"), f"{layout}: {line}")
    failures.check(plans == [f"1..{len(tests)}"], f"{layout}: {len(tests)} tests, plan {plans}")
    return tests


def tests_check(failures, bulkhead, found, software):
    """The same tests in each layout, and one more for the tables of each domain."""
    common = None
    for layout, lines in found.items():
        tests = tap_check(failures, layout, lines)
        names = [name for name, _ in tests if not TABLES.match(name) and not RING3.match(name)]
        common = common or names
        failures.check(len(names) >= 26 and names == common, f"{layout}: not the tests of the others")
        failures.check(len(set(names)) == len(names), f"{layout}: a test runs twice")
        tables = [TABLES.match(name).group(1) for name, _ in tests if TABLES.match(name)]
        text = command.run(bulkhead, "explain", layout, "ping-pong")
        rows = command.table(text, "DOMAIN ")
        failures.check(tables == [row[0] for row in rows], f"{layout}: tables of {tables}")
        kpti = [row[0] for row in command.table(text, "DOMAIN  MECHANISMS") if "kpti: on" in row[1]]
        sees = [RING3.match(name).groups() for name, _ in tests if RING3.match(name)]
        want = [(row[0], "the trampoline alone" if row[0] in kpti else "all of it")
                for row in rows if row[1] == "3"]
        failures.check(sees == want, f"{layout}: ring 3's tables are {sees}, not {want}")
        skipped = [name for name, skip in tests if skip]
        if rows[0][3] not in IDENTITY:
            failures.check(all(NOT_OBSERVABLE.get(name, "x") in text or
                               (software and name == WITHOUT_TLB) for name in skipped),
                           f"{layout}: skips {skipped}")


def kvm_usable(bulkhead):
    """Exits with 77 where no guest boots; else whether ring 3 works, by the doctor's measurement."""
    doctor = json.loads(command.run(bulkhead, "doctor", "--format", "json"))
    kvm = next(backend for backend in doctor["backends"] if backend["backend"] == "kvm")
    if not kvm["usable"] and not kvm.get("tests", {}).get("ring0_loop", {}).get("passed"):
        print("skipped:", kvm["why"])
        sys.exit(77)
    return kvm["usable"]


def main(bulkhead, folder, backend):
    failures = command.Failures()
    usable = backend != "kvm" or kvm_usable(bulkhead)
    layouts = command.run(bulkhead, "list", "layouts").split("\n") if usable else UNTRUSTED
    layouts = [line.split()[0] for line in layouts if line.strip()]
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    experiment = os.path.join(folder, "selftest.yaml")
    with open(experiment, "w", encoding="utf-8") as file:
        file.write(f"experiment: selftest\nlayouts: [{', '.join(layouts)}]\n"
                   "workloads: [ping-pong]\nrepeats: 1\nwarmup: 0\nbatch: 1\nsamples: 1\n")
    options = [] if usable else ["--allow-untrusted"]
    done = subprocess.run([bulkhead, "run", experiment, "--backend", backend, "--self-test",
                           "--simulate", "--out", os.path.join(folder, "set"), *options],
                          stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    # Where ring 3 does not work, the SIPs there end badly; the tests came before them.
    failures.check(done.returncode in ((0,) if usable else (0, 4)), f"status {done.returncode}")
    found = sections(done.stdout)
    failures.check(sorted(found) == sorted(layouts), f"self-tests of {sorted(found)} only")
    tests_check(failures, bulkhead, found, not usable)
    failures.finish(f"# self-tests passed on {backend} in {len(found)} layouts")


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[3] not in ("qemu", "kvm", "bochs"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
