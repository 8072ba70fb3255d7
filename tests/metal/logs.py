"""`bulkhead import` on logs made here, by the format of docs/bare-metal.md: whole, and spoilt.

usage: logs.py BULKHEAD DIR
"""
import json
import os
import shutil
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import command  # noqa: E402 (it is found by the line above)

EVENTS = 13
ABOUT = {"experiment": "hip-r3-yield", "backend": "metal", "commit": "0123", "seed": 1,
         "warmup": 16, "batch": 32, "samples": 4, "memory_bytes": 1 << 27, "preempt": "off",
         "layouts": ["hip-r3"], "workloads": ["yield"], "images": {}, "files": {}, "resolved": {},
         "build": {"compiler": "a # b"},
         "cell": {"layout": "hip-r3", "workload": "yield", "params": {"bytes": 64},
                  "safety": "checked", "oracle": True, "simulate": False}}
MACHINE = ["loader GRUB 2.06", "firmware ALASKA", "vendor GenuineIntel", "brand Some CPU @ 3 GHz",
           "cpu 6 85 7 5003604 steady", "clock 1f40 3e81 5dc2 7d01 9c43 bb80"]
FIGURES = ["state done", "features 0 0", "op yield round-trip 32 4 2 32 af648b4c860315e9",
           "events " + " ".join(["40", "20"] + ["0"] * (EVENTS - 2)), "values 650 640 660 640",
           "values 40 40", "end"]


def about_lines(about):
    text = json.dumps(about) if about else ""
    return ["about " + text[at:at + 72] for at in range(0, len(text), 72)]


def lines(machine=MACHINE, about=ABOUT, figures=FIGURES, tag="c0ffee00", form="format 1"):
    """The lines of one boot, without their ends."""
    bodies = [form, *machine, *about_lines(about), *figures]
    out = []
    for number, body in enumerate(bodies, 1):
        text = f"@bulkhead {tag} {number}/{len(bodies)} {body}"
        out.append(f"{text} #{zlib.crc32(text.encode()):08x}")
    return out


class Tester:
    def __init__(self, bulkhead, folder):
        self.bulkhead, self.folder, self.count = bulkhead, folder, 0
        self.failures = command.Failures()

    def log(self, text):
        self.count += 1
        path = os.path.join(self.folder, f"{self.count}.log")
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def imported(self, what, status, *texts):
        """Imports logs of these texts; returns stderr and the set's folder."""
        paths = [self.log(text) for text in texts]
        out = os.path.join(self.folder, f"{self.count}-set")
        done = subprocess.run([self.bulkhead, "import", *paths, "-o", out], capture_output=True,
                              text=True, check=False)
        self.failures.check(done.returncode == status,
                            f"{what}: status {done.returncode} instead of {status}: {done.stderr}")
        return done.stderr, out

    def refused(self, what, *texts, line=None, says=""):
        error, out = self.imported(what, 1, *texts)
        place = f"{self.count}.log:{line}:" if line else ""
        self.failures.check(place in error and says in error,
                            f"{what}: no `{place}` with `{says}` in: {error}")
        self.failures.check(not os.path.exists(out), f"{what}: wrote {out}")

    def taken(self, what, *texts, ends=0, **wanted):
        """The records, the first of which has the keys `wanted`."""
        _, out = self.imported(what, ends, *texts)
        if not os.path.exists(out):
            return []
        records = command.records(out)
        for key, value in wanted.items():
            self.failures.check(records[0][key] == value,
                                f"{what}: {key} is {records[0][key]}, not {value}")
        command.run(self.bulkhead, "report", out)
        return records


def joined(all_lines, end="\r\n"):
    return "noise\n" + end.join(all_lines) + end


def check_whole(test):
    whole = lines()
    records = test.taken("a whole log", joined(whole), unit="cycles", trust="real", note="",
                         backend="metal", status="ok", samples=[(value - 0x40) / 32 for value in (0x650, 0x640, 0x660, 0x640)],
                         oracle="af648b4c860315e9", params={"bytes": 64}, boot=0, host="metal")
    test.failures.check(records and records[0]["events"]["ring_crossings"] == 2.0,
                        f"events are {records and records[0]['events']}")
    stamped = [f"[12:00:{n:02}] {line}  " for n, line in enumerate(whole)]
    test.taken("a log with stamps", joined(stamped), status="ok")
    test.taken("two lines run together", joined([whole[0] + whole[1], *whole[2:]]), status="ok")
    # Each copy lacks something that the other has.
    copies = [*whole[:5], *whole[6:], *whole[:7], whole[7].replace("a", "b"), *whole[8:]]
    test.taken("a second copy", joined(copies), status="ok")
    test.taken("copies in two logs", joined(whole[:5]), joined(whole[3:]), status="ok")


def check_clocks(test):
    for name, trust in (("KVMKVMKVM", "nested"), ("TCGTCGTCGTCG", "emulated"), ("?", "nested")):
        machine = [*MACHINE, f"hypervisor {name}"]
        test.taken(name, joined(lines(machine)), trust=trust, unit="cycles")
    machine = [line.replace("ALASKA", "BOCHS") for line in MACHINE]
    test.taken("firmware of an emulator", joined(lines(machine)), trust="emulated", unit="cycles")
    machine = [line.replace("clock", "counter") for line in MACHINE]
    test.taken("a counter", joined(lines(machine)), trust="emulated", unit="instructions")


def check_verdicts(test):
    lacking = ["state unavailable", "message needs PKU, which this CPU lacks", "features 0 0", "end"]
    test.taken("a CPU that lacks something", joined(lines(figures=lacking)), ends=0)
    records = test.taken("the same", joined(lines(figures=lacking)))
    test.failures.check(records and records[0]["status"] == "unavailable" and
                        records[0]["reason"] == "needs PKU, which this CPU lacks", f"{records}")
    failed = ["state failed", "message 1 # 2", "features 0 0", "sip app 10 42 main page fault",
              "end"]
    records = test.taken("a failed run", joined(lines(figures=failed)), ends=4)
    test.failures.check(records and records[0]["status"] == "failed" and
                        "SIP app: page fault at 0x10, rip +0x42 in main" in records[0]["reason"],
                        f"{records}")
    silent = [line.replace("af648b4c860315e9", "0") for line in FIGURES]
    records = test.taken("a run without an answer", joined(lines(figures=silent)), ends=4)
    test.failures.check(records and "no answer" in records[0]["reason"], f"{records}")
    early = ["state failed", "message no plan", "end"]
    test.refused("a run without a plan", joined(lines(about=None, figures=early)), line=2,
                 says="no plan")


def check_spoilt(test):
    whole = lines()
    total = len(whole)
    test.refused("an empty log", "", says="holds no results")
    test.refused("another log", "hello\n" * 10, says="holds no results")
    for keep in (1, 7, total - 1):
        test.refused(f"cut after {keep}", joined(whole[:keep]), line=keep + 1,
                     says=f"with line {keep} of {total}: the log was cut short")
    half = joined(whole)[:-20]
    test.refused("cut within the last line", half, line=total + 1, says="damaged")
    for drop in (0, 5, total - 2):
        test.refused(f"without line {drop + 1}", joined(whole[:drop] + whole[drop + 1:]),
                     line=max(drop + 1, 2),
                     says=f"line {drop + 1} of {total} of the results is missing")
    for spoil in range(total):
        at = len(whole[spoil]) // 2
        bad = whole[spoil][:at] + chr(ord(whole[spoil][at]) ^ 1) + whole[spoil][at + 1:]
        test.refused(f"line {spoil + 1} damaged", joined(whole[:spoil] + [bad] + whole[spoil + 1:]),
                     line=spoil + 2, says="damaged")
    test.refused("all damaged", joined([line[:-1] + "x" for line in whole]), line=2, says="damaged")
    test.refused("bytes", bytes(range(256)) * 50 + b"\n@bulkhead \0\xff 1/1 #00000000\n", line=None,
                 says="damaged")
    other = lines(figures=[line.replace("650", "651") for line in FIGURES])
    test.refused("two runs with one tag", joined(whole + other), says="not of the same run")


def check_nonsense(test):
    """Lines whose checksums hold, but which say what cannot be."""
    def wrong(what, old, new, says="is not what this version reads"):
        figures = [line.replace(old, new) for line in FIGURES]
        test.refused(what, joined(lines(figures=figures)), says=says)

    wrong("an unknown kind", "features", "futures")
    wrong("an unknown state", "state done", "state dreaming")
    wrong("too many samples", "round-trip 32 4 2", "round-trip 32 4000000000 2")
    wrong("more values than samples", "round-trip 32 4 2", "round-trip 32 3 2")
    wrong("fewer values than samples", "round-trip 32 4 2", "round-trip 32 5 2")
    wrong("values that are no numbers", "values 40 40", "values 40 x")
    wrong("values that are too large", "values 40 40", "values 40 10000000000000000")
    wrong("too few events", "events 40", "events")
    test.refused("another format", joined(lines(form="format 2")), line=2,
                 says="import the log with the version that made the image")
    test.refused("no format", joined(lines(form="loader x")), line=2)
    test.refused("an end too early", joined(lines(figures=FIGURES[:-1])), says="without an end")
    for key, value in (("layout", 3), ("workload", ""), ("params", []), ("params", {"a": "b"}),
                       ("params", {"": 1}), ("safety", "odd")):
        about = {**ABOUT, "cell": {**ABOUT["cell"], key: value}}
        test.refused(f"a cell whose {key} is {value}", joined(lines(about=about)), line=2,
                     says="what this run says about itself is wrong")
    about = {key: value for key, value in ABOUT.items() if key != "cell"}
    test.refused("no cell", joined(lines(about=about)), line=2)
    whole = lines(about="a")
    test.refused("no object", joined(whole), line=2, says="is not JSON")
    # What only the check of every result region finds: the guest is as good as its word there.
    for old, new in (("round-trip", "tripwise"), ("32 4 2 32", "0 4 2 32"), ("yield", "y!")):
        figures = [line.replace("op yield", "op " + new) if old == "yield"
                   else line.replace(old, new) for line in FIGURES]
        records = test.taken(f"{new} for {old}", joined(lines(figures=figures)), ends=4)
        test.failures.check(records and records[0]["status"] == "failed" and
                            "garbage result" in records[0]["reason"], f"{records}")


def check_boots(test):
    """Several boots make one set, where they belong together."""
    boots = [lines(tag=f"0000000{n}") for n in range(3)]
    records = test.taken("three boots", joined(sum(boots, [])))
    test.failures.check([record["boot"] for record in records] == [0, 1, 2], f"{records}")
    about = {**ABOUT, "experiment": "sip-phys-yield", "layouts": ["sip-phys"],
             "cell": {**ABOUT["cell"], "layout": "sip-phys"}}
    records = test.taken("two layouts", joined(lines()), joined(lines(about=about, tag="00000001")))
    test.failures.check([record["layout"] for record in records] == ["hip-r3", "sip-phys"],
                        f"{records}")
    manifest = command.manifest(os.path.join(test.folder, f"{test.count}-set"))
    test.failures.check(manifest["layouts"] == ["hip-r3", "sip-phys"] and manifest["cells"] == 2 and
                        manifest["experiment"] == "metal", f"{manifest}")
    other = [line.replace("cpu 6 85 7", "cpu 6 85 4") for line in MACHINE]
    test.refused("two machines", joined(lines() + lines(other, tag="00000001")), says="another machine")
    about = {**ABOUT, "commit": "4567"}
    test.refused("two commits", joined(lines() + lines(about=about, tag="00000001")),
                 says="another commit")


def main(bulkhead, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    test = Tester(bulkhead, folder)
    for check in (check_whole, check_clocks, check_verdicts, check_spoilt, check_nonsense,
                  check_boots):
        check(test)
    error = subprocess.run([bulkhead, "import", os.path.join(folder, "none.log")], check=False,
                           capture_output=True, text=True)
    test.failures.check(error.returncode == 1 and "none.log: cannot read" in error.stderr,
                        f"a log that is not there: {error}")
    done = subprocess.run([bulkhead, "import"], check=False, capture_output=True, text=True)
    test.failures.check(done.returncode == 2, f"import without a log: {done}")
    test.failures.finish(f"# {test.count} logs")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
