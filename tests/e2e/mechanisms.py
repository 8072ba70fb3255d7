"""What the guest's counters say about mechanisms, held against what each of them is defined to do: in
every shipped layout and in a few of the test's own.

usage: mechanisms.py BULKHEAD DIR [--bochs]

--bochs runs some cells there too, where the CPU has what qemu only simulates: the same events.
"""
import collections
import os
import re
import shutil
import statistics
import sys

import command

HEADER_BYTES = 16  # sizeof(struct abi_message)
BYTES = 64
ACTIONS = {"ibpb": "predictor_barriers", "l1d-flush": "cache_flushes",
           "buffer-clear": "buffer_clears", "rsb-fill": "rsb_fills"}
PINNED = ["ring_crossings", "table_switches", "tlb_flushes", "context_switches", "bytes_copied",
          "messages", "page_faults", "key_switches", "state_saves", *ACTIONS.values()]
WORKLOADS = {"abi-call": "abi-call", "yield": "yield",
             "ping-pong": f"{{workload: ping-pong, params: {{bytes: {BYTES}}}}}"}
ALL_OFF = "".join(f"{key}: off\n" for key in (
    "tag", "global", "kpti", "on-switch", "on-switch-to", "smep", "smap", "umip", "pku", "retpoline",
    "cet", "fpu"))
OWN = {  # layouts besides the shipped ones
    "hip-r3-all-off": "extends: hip-r3\n" + ALL_OFF,
    "hip-r3-s-all-off": "extends: hip-r3-s\n" + ALL_OFF,
    "one-of-two": "extends: hip-r3\non-switch: rsb-fill\nkernel: {on-switch: off}\n",
    "eager": "extends: hip-r3-s\nfpu: eager\n",
    "lazy": "extends: hip-r3-s\nfpu: lazy\n",
    "pku-kpti": "extends: pku\nkpti: on\n",
    "pku-pcid-kpti": "extends: pku\ntag: pcid\nkpti: on\non-switch: ibpb\n",
    "apps-of-linux": "extends: hip-r3\nkpti: on\non-switch: [ibpb, rsb-fill]\non-switch-to: ring-3\n",
}
SAME_COUNTS = {"hip-r3-all-off": "hip-r3", "hip-r3-s-all-off": "hip-r3-s"}
# What a simulated CPU leaves out of a yield, in instructions: MOV, MOV, XOR, WRMSR of the barrier.
ON_BOCHS = {"hip-r3-s-pcid": 0, "hip-r3-kpti-pcid": 0, "linux-like": 4, "sel4-like": 0, "pku": 0}

Domain = collections.namedtuple("Domain", "name ring space heap actions kpti tagged pku guarded")


class Cell:
    """A layout and a workload as `explain` resolves them, and what an operation there must count."""

    def __init__(self, bulkhead, layout, workload):
        text = command.run(bulkhead, "explain", layout, workload)
        has = {row[0]: row[1] for row in command.table(text, "DOMAIN  MECHANISMS")}
        self.to_ring3 = "on-switch-to: ring-3" in re.search(r"^machine .*$", text, re.M)[0]
        self.eager = "fpu: eager" in re.search(r"^machine .*$", text, re.M)[0]
        domains = {}
        for name, ring, space, pages, heap, _ in command.table(text, "DOMAIN  RING"):
            actions = re.search(r"on-switch: \[?([a-z0-9, -]+?)(?:\]|$|, [a-z]+:)", has[name])
            domains[name] = Domain(
                name, int(ring), name if space == "own" else "kernel", heap,
                set(actions[1].split(", ")) if actions else set(), "kpti: on" in has[name],
                "tag: pcid" in has[name], "pku: on" in has[name],
                space == "own" and pages == "4K" and "own" in heap)
        self.of = {row[0]: domains[row[1]] for row in command.table(text, "SIP ")}
        self.transfer = None
        if workload == "ping-pong":
            self.transfer = command.table(text, "CHANNEL ")[0][6].split(":")[0]
        self.last_ring3 = None

    def call(self, events, domain):
        """A call of the kernel and the way back."""
        if domain.ring != 3:
            return
        events["ring_crossings"] += 2
        if domain.kpti:
            events["table_switches"] += 2
            events["tlb_flushes"] += 0 if domain.tagged else 2

    def switch(self, events, source, target):
        """A switch of threads."""
        events["context_switches"] += 1
        events["state_saves"] += self.eager
        if source.name == target.name:
            return
        if source.space != target.space:
            events["table_switches"] += 1
            events["tlb_flushes"] += 0 if target.tagged else 1
        if target.pku:
            events["key_switches"] += 1
        due = source.actions | target.actions
        if self.to_ring3:
            due = target.actions if target.ring == 3 and self.last_ring3 != target.name else set()
            self.last_ring3 = target.name if target.ring == 3 else self.last_ring3
        for action in due:
            events[ACTIONS[action]] += 1

    def send(self, events, source):
        """A message of BYTES: what it takes to have it, and the pages that its sender no longer sees."""
        events["messages"] += 1
        if self.transfer == "copy":
            events["bytes_copied"] += BYTES + HEADER_BYTES
        if self.transfer in ("copy", "remap") and source.guarded:
            events["tlb_flushes"] += 2 if source.tagged and source.kpti else 1

    def expected(self, workload):
        """The events of one operation; the second time round, when all domains have been entered."""
        for _ in range(2):
            events = dict.fromkeys(PINNED, 0)
            if workload == "abi-call":
                self.call(events, self.of["client"])
                continue
            client, other = (self.of[name] for name in self.of)
            for source, target in ((client, other), (other, client)):
                for _ in range(2 if workload == "ping-pong" else 1):
                    self.call(events, source) # ping-pong: a send, and a receive that waits
                if workload == "ping-pong":
                    self.send(events, source)
                self.switch(events, source, target)
        each = 2 if workload == "yield" else 1
        return {event: count / each for event, count in events.items()}


def experiment_run(bulkhead, folder, name, layouts, workloads, *options):
    """{(workload, layout): record}"""
    path, out = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"experiment: {name}\nlayouts: [{', '.join(layouts)}]\nworkloads:\n")
        file.writelines(f"  - {workload}\n" for workload in workloads)
        file.write("samples: 8\n")
    command.run(bulkhead, "run", path, "--simulate", "--out", out, *options)
    return {(record["workload"], record["layout"]): record for record in command.records(out)
            if record["op"].startswith(record["workload"])}


def median(record):
    return statistics.median(record["samples"])


def float_check(failures, bulkhead, folder, own):
    """Registers in use on both sides of each switch: eager moves them there, lazy by a trap."""
    found = experiment_run(bulkhead, folder, "float", [own["eager"], own["lazy"]], ["float"],
                           "--backend", "qemu")
    for name, crossings in (("eager", 2), ("lazy", 4)):
        events = next(record for (_, layout), record in found.items() if layout == name)["events"]
        failures.check(events["state_saves"] == 1 and events["ring_crossings"] == crossings,
                       f"{name} float: {events}")


def main(bulkhead, folder, with_bochs):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shipped = command.run(bulkhead, "list", "layouts").splitlines()
    layouts = {line.split()[0]: line.split()[0] for line in shipped if line.strip()}
    for name, text in OWN.items():
        layouts[name] = os.path.join(folder, name + ".yaml")
        with open(layouts[name], "w", encoding="utf-8") as file:
            file.write(f"layout: {name}\n{text}")
    found = experiment_run(bulkhead, folder, "events", layouts.values(), WORKLOADS.values(),
                           "--backend", "qemu")
    failures.check(len(found) == len(layouts) * len(WORKLOADS), f"{len(found)} records")
    for (workload, layout), record in found.items():
        want = Cell(bulkhead, layouts[layout], workload).expected(workload)
        for event in PINNED:
            failures.check(record["events"][event] == want[event],
                           f"{layout} {workload}: {event} {record['events'][event]:g}, "
                           f"expected {want[event]:g}")
    for event in PINNED:
        failures.check(event == "page_faults" or
                       any(record["events"][event] for record in found.values()),
                       f"no cell counts {event}")
    for own, like in SAME_COUNTS.items():
        for workload in WORKLOADS:
            counts = [median(found[workload, layout]) for layout in (own, like)]
            failures.check(counts[0] == counts[1], f"{own} {workload}: {counts} instructions")
    float_check(failures, bulkhead, folder, layouts)
    if with_bochs:
        real = experiment_run(bulkhead, folder, "bochs", ON_BOCHS, WORKLOADS.values(), "--backend",
                              "bochs")
        for (workload, layout), record in real.items():
            failures.check(record["status"] == "ok", f"{layout} {workload}: {record['status']}")
            failures.check(record["events"] == found[workload, layout]["events"],
                           f"{layout} {workload}: other events on bochs: {record['events']}")
        for layout, left_out in ON_BOCHS.items():
            counts = [median(cells["yield", layout]) for cells in (real, found)]
            failures.check(counts[0] - counts[1] == left_out, f"{layout}: {counts} instructions")
    failures.finish(f"{len(found)} cells of {len(layouts)} layouts count what they should")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--bochs"]):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], len(sys.argv) == 4)
