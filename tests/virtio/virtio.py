"""The driver boundary end to end: virtio.py BULKHEAD FOLDER

Runs the drivers of devices in guests under QEMU, in every kind of place that a layout has for one, and under
Bochs, which has no disk. FOLDER is for the results.
"""
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
GUEST_FAILED = 4


class Test:
    def __init__(self, bulkhead, folder):
        self.bulkhead, self.folder, self.runs, self.wrong = bulkhead, folder, 0, 0
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def expect(self, condition, text):
        if not condition:
            self.wrong += 1
            print(text)

    def run(self, *arguments, status=0):
        """The records of a run, which must end with that status."""
        out = self.folder / str(self.runs)
        self.runs += 1
        done = subprocess.run([self.bulkhead, "run", *arguments, "--out", out], cwd=HERE,
                              capture_output=True, text=True, check=False)
        self.expect(done.returncode in (status if isinstance(status, tuple) else (status,)),
                    f"{arguments} ended with {done.returncode}: {done.stderr[-600:]}")
        samples = out / "samples.jsonl"
        if not samples.exists():
            return []
        return [json.loads(line) for line in samples.read_text("utf-8").splitlines()]

    def one(self, layout, workload, *more, status=0):
        records = self.run("--layout", layout, "--workload", workload, *more, status=status)
        self.expect(records, f"{layout} {workload} {more} left no record")
        return records[0] if records else {"status": "none", "reason": "", "samples": []}


def by_cell(records):
    cells = {}
    for record in records:
        key = (record["layout"], record["op"], record["params"].get("bytes"))
        cells[key] = record
    return cells


def test_cells(test):
    """Every place, checked, masked and not: the same answers, and what happened as it should."""
    cells = by_cell(test.run("cells.yaml", "--backend", "qemu"))
    layouts = {layout for layout, _, _ in cells}
    sizes = (512, 4096, 65536)
    wanted = {("irq-to-sip", None)} | {(op, size) for op in ("disk-read", "disk-write")
                                       for size in sizes}
    test.expect(len(layouts) == 11, f"{len(layouts)} layouts were run")
    for layout in layouts:
        got = {(op, size) for at, op, size in cells if at == layout}
        test.expect(got == wanted, f"{layout} has {got}: waiting for a disk has no count")
    oracles = {}
    for (layout, op, size), record in cells.items():
        name = f"{layout} {op} {size}"
        test.expect(record["status"] == "ok", f"{name}: {record['status']} {record['reason']}")
        oracles.setdefault((op, size), set()).add(record["oracle"])
        events = record["events"]
        if op == "irq-to-sip":
            test.expect(record["kind"] == "one-way" and 100 < record["samples"][0] < 400,
                        f"{name} took {record['samples'][0]}")
            test.expect(events["context_switches"] == 2 and events["messages"] == 0,
                        f"{name}: {events}")
        else:
            test.expect(events["messages"] == 2, f"{name}: {events['messages']} messages")
            test.expect(events["page_faults"] == 0, f"{name}: page faults")
    for key, seen in oracles.items():
        test.expect(len(seen) == 1, f"{key}: {len(seen)} answers")
    test.expect(cells["hip-r3-s", "irq-to-sip", None]["events"]["ring_crossings"] == 2,
                "a wait in ring 3 is a way in and one out")
    for op in ("disk-read", "disk-write"):
        for small, large in zip(sizes, sizes[1:]):
            test.expect(cells["sip-phys", op, small]["samples"][0] <
                        cells["sip-phys", op, large]["samples"][0], f"{op}: more is not dearer")


def test_restart(test):
    """A driver that faults with requests under way: nothing is lost but itself."""
    for record in test.run("restart.yaml", "--backend", "qemu"):
        test.expect(record["status"] == "ok" and record["op"] == "measure",
                    f"{record['layout']}: {record['status']} {record['reason']}")
    failed = test.one("hip-r3-s", "workloads/driver-restart.yaml", "--backend", "qemu",
                      status=GUEST_FAILED)
    test.expect("disk" in failed["reason"] and "unreachable" in failed["reason"],
                f"a driver that may not fault: {failed['reason']}")


def test_preemption(test):
    """The timer takes nothing away from an interrupt; how long a disk takes it does count."""
    for layout in ("sip-phys", "hip-r3-s", "hip-r3-s-kpti"):
        plain = test.one(layout, "irq-to-sip", "--backend", "qemu")
        timed = test.one(layout, "irq-to-sip", "--backend", "qemu", "--preempt")
        test.expect(timed["status"] == "ok", f"{layout}: {timed['reason']}")
        test.expect(plain["status"] == "ok" and
                    min(timed["samples"]) >= min(plain["samples"]), f"{layout}: less than without")
        disk = test.one(layout, "virtio-disk", "--backend", "qemu", "--preempt",
                        status=(0, GUEST_FAILED))
        test.expect(disk["status"] == "ok" or disk["reason"].startswith("not exact"),
                    f"{layout}, virtio-disk: {disk['reason']}")


def test_bochs(test):
    for layout in ("sip-phys", "hip-r3-s"):
        ours = test.one(layout, "irq-to-sip", "--backend", "bochs")
        theirs = test.one(layout, "irq-to-sip", "--backend", "qemu")
        test.expect(ours["samples"] == theirs["samples"], f"{layout}: {ours['samples'][:1]} on "
                    f"bochs, {theirs['samples'][:1]} on qemu")
    disk = test.one("sip-phys", "virtio-disk", "--backend", "bochs", status=(0, 3, GUEST_FAILED))
    test.expect(disk["status"] == "unavailable" and "virtio disk" in disk["reason"],
                f"a disk on bochs: {disk['status']} {disk['reason']}")


def main(bulkhead, folder):
    test = Test(bulkhead, pathlib.Path(folder))
    test_cells(test)
    test_restart(test)
    test_preemption(test)
    if shutil.which("bochs"):
        test_bochs(test)
    print(f"{test.runs} runs, {test.wrong} wrong")
    return 1 if test.wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
