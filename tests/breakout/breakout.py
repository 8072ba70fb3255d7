#!/usr/bin/python3
"""Runs every attack of attacks.table in every layout and safety kind, and holds what happened against
the table. In each boot a victim that is an application, one that is a service, and a client with its
server do their own checked work; the run's verdict is theirs. Exits with 1 if any cell differs.

    breakout.py BULKHEAD [--layout NAME]... [--safety KIND]... [--attack NAME]... [--jobs N]
                         [--table FILE | --check FILE]

--table writes the summary between two marker lines of FILE, --check fails if it is another one."""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time

import attacks

HERE = os.path.dirname(os.path.abspath(__file__))
LAYOUTS = os.path.join(HERE, "..", "..", "domain-config", "layouts")
TABLES = ("breakout", "mechanisms")  # each between two marker lines of the document
TRAPS = {1: "out-of-bounds", 2: "bad-indirect-call", 3: "stack-overflow", 4: "unreachable",
         5: "divide-by-zero", 6: "integer-overflow", 7: "stale-handle", 8: "page-fault",
         9: "illegal-instruction", 10: "exception", 11: "contract-violation",
         12: "quota-exhausted", 13: "budget-exceeded", 14: "killed"}
FAULTED, DONE, WRONG = 1 << 32, 100, 200
GUEST_FAILED = 4
AGAIN = ("calls", "messages", "floods", "lives")  # carried out three times: at last, all memory comes back
PER_BOOT = 30  # a run keeps the first 32 reports

# What is true of an attacker that is an application: see the words in attacks.table.
KERNEL_DOMAIN = "ring0 joint joint-service one-heap heap-service move"
GRID = {
    "sip-phys": KERNEL_DOMAIN + " identity",
    "sip-page": KERNEL_DOMAIN + " 4k",
    "sip-2m": KERNEL_DOMAIN + " 2m",
    "hip-r0": "ring0 joint one-heap heap-service move 4k",
    "hip-r0-s": "ring0 one-heap heap-service move 4k",
    "hip-r0-s-own": "ring0 copy 4k",
    "hip-r3": "ring3 joint one-heap move 4k",
    "hip-r3-s": "ring3 copy 4k",
    "hip-r3-s-2m": "ring3 copy 2m",
    "hip-r3-s-remap": "ring3 remap 4k",
    "hip-r3-s-shared": "ring3 shared 4k",
    "sip-page-preempt": KERNEL_DOMAIN + " 4k preempt",
    "hip-r0-s-preempt": "ring0 one-heap heap-service move 4k preempt",
    "hip-r3-s-preempt": "ring3 copy 4k preempt",
}
# Layouts that have, or are without, what the attacks of one family are about. Only these run there.
MECHANISMS = {
    "hip-r3-s-umip": "ring3 copy 4k umip",
    "hip-r3-s-smap": "ring3 copy 4k",
    "hip-r3-s-cet": "ring3 copy 4k shstk ibt",
    "hip-r3-s-eager": "ring3 copy 4k fpu",
    "hip-r3-s-lazy": "ring3 copy 4k fpu",
    "pku": "ring3 copy 4k keys",
    "pku-no-keys": "ring3 copy 4k no-keys joint joint-service one-heap heap-service",
}
GRID.update(MECHANISMS)
ENGINES = {  # what runs them: qemu has no CET, and always has keys
    "hip-r3-s-cet": ["--backend", "bochs"],
    "pku-no-keys": ["--backend", "bochs", "--cpu", "corei7_haswell_4770", "--simulate"],
}
KEYED = ("read_peer", "write_peer", "write_peer_block", "write_peer_pages", "read_service",
         "write_service", "write_service_block", "write_service_pages", "call_peer")
# What shows each mechanism: where it stops the attacks, and where they go through without it.
PROOFS = [
    ("umip: on", ["hip-r3-s-umip"], "hip-r3-s", [
        "tell_descriptor_table", "tell_interrupt_table", "tell_local_table", "tell_task",
        "tell_machine_status"]),
    ("cet: shstk", ["hip-r3-s-cet"], "hip-r3-s", ["return_elsewhere"]),
    ("cet: ibt", ["hip-r3-s-cet"], "hip-r3-s", ["call_inside", "jump_inside"]),
    ("pku: on", ["pku"], "pku-no-keys", KEYED),
    ("fpu: eager, fpu: lazy", ["hip-r3-s-eager", "hip-r3-s-lazy"], "hip-r3-s", ["read_registers"]),
]
# In these every attack runs; in the others only those that the difference is about.
WHOLE = ["sip-phys", "sip-page", "sip-2m", "hip-r0", "hip-r0-s", "hip-r3", "hip-r3-s", "hip-r3-s-2m"]
SAFETY = ["unchecked", "checked", "masked"]
MASKED = ["sip-phys", "sip-page", "hip-r3", "hip-r3-s"]  # what masks do, no layout changes


class Cell:
    """A layout and a safety kind."""

    def __init__(self, layout, safety, folder):
        self.layout, self.safety = layout, safety
        self.words = set(GRID[layout].split()) | {safety}
        self.path = os.path.join(folder, f"{layout}.{safety}.yaml")
        file = layout.removesuffix("-no-keys") + ".yaml"
        own = os.path.join(HERE, "layouts", file)
        base = own if os.path.exists(own) else os.path.abspath(os.path.join(LAYOUTS, file))
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(f"layout: {layout}\nextends: {base}\nsafety: {safety}\n")

    def __str__(self):
        return f"{self.layout} {self.safety}"


class Boot:
    """Attacks of one family that are carried out one after another in one guest."""

    def __init__(self, cell, boot_attacks):
        self.cell, self.attacks, self.seconds = cell, boot_attacks, 0

    def run(self, bulkhead, folder):
        first, last = self.attacks[0].number, self.attacks[-1].number
        memory = 256 if "2m" in self.cell.words else 128
        again = 0 if "2m" in self.cell.words or self.attacks[0].family not in AGAIN else 2
        out = os.path.join(folder, f"{self.cell.layout}.{self.cell.safety}.{first}")
        command = [bulkhead, "run", "--layout", self.cell.path, "--workload",
                   os.path.join(HERE, "workloads", "breakout.yaml"),
                   *ENGINES.get(self.cell.layout, ["--backend", "qemu"]),
                   "--set", f"fpu={int('fpu' in self.cell.words)}", "--out", out, "--set", f"first={first}", "--set", f"last={last}", "-v",
                   "--set", f"again={again}",
                   "--memory", f"{memory}M", "--set", f"memory={memory}",
                   "--timeout", "3" if len(self.attacks) == 1 else "30", "--jobs", "1"]
        started = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        self.seconds = time.monotonic() - started
        return done.returncode, done.stdout.decode("utf-8", "replace")


def stopped_by(attack, status, reports):
    """The words of the kernel for an end by a fault."""
    trap = TRAPS.get(status & 0xff, "unknown")
    kind = next((kind for sip, kind in reports if sip == attack.template), "")
    return kind if trap in ("exception", "divide-by-zero", "unreachable") and kind else trap


def outcome_of(attack, status, evidence, reports):
    harm = evidence != 0
    if status & FAULTED:
        return "ended " + stopped_by(attack, status, reports) + (" but it did harm" if harm else "")
    if harm:
        return "succeeds"
    if status == 0:
        return "refused"
    if status == DONE:
        return "contained"
    return f"wrong answer to check {status - WRONG}" if status >= WRONG else f"status {status}"


def judge(boot, code, text):
    """[(attack, what became of it)] for one boot."""
    results, at = [], 0
    by_number = {attack.number: attack for attack in boot.attacks}
    reports = []
    for line in text.splitlines():
        report = re.match(r"SIP '(\S+)' ended: ([^,]+), address (\S+), at (\S+) ?(\S*)", line)
        if report:
            reports.append((report.group(1), report.group(2).replace(" ", "-")))
        match = re.match(r"attack (\w{16}) status (\w{16}) evidence (\w{16}) lost (\w{16})", line)
        if not match:
            continue
        number, status, evidence, lost = (int(part, 16) for part in match.groups())
        if number in by_number:
            at = number + 1
            outcome = outcome_of(by_number[number], status, evidence, reports)
            results.append((by_number[number], f"{outcome} and kept {lost} pages" if lost else outcome))
        reports = []
        if len(results) == len(boot.attacks):
            break
        # The second boot of the same cell, which confirms the first, prints the same again.
    if code:
        why = [line for line in text.splitlines()
               if line.startswith("bulkhead: ") and "boots ok" not in line]
        what = "crashes" if code == GUEST_FAILED else f"not run, status {code}"
        for attack in boot.attacks:
            if attack.number >= at:
                results.append((attack, f"{what}: {why[0] if why else text[-200:]}"))
                what = "not reached"
        if not results[-1][1].startswith((what, "crashes")): # it came to the last one
            results[-1] = (results[-1][0], f"the run failed: {why[0] if why else text[-200:]}")
    return results


def boots_of(cell, wanted):
    """The attacks of a cell, as boots: crashes each by itself."""
    boots, run = [], []
    for attack in wanted:
        outcome = attack.outcome(cell.words)
        whole = cell.layout in WHOLE
        if cell.layout in MECHANISMS:
            keyed = cell.words & {"keys", "no-keys"}
            whole = attack.name in (*KEYED, "write_after_free") if keyed else attack.family == "mechanisms"
        elif not whole:
            whole = ("preempt" in cell.words and attack.template == "endless") or (
                "preempt" not in cell.words and attack.family in ("messages", "lives"))
        if run and (outcome in ("none", "crashes") or not whole or run[-1].family != attack.family
                    or len(run) == PER_BOOT):
            boots.append(Boot(cell, run))
            run = []
        if outcome == "none" or not whole:
            continue
        if outcome == "crashes":
            boots.append(Boot(cell, [attack]))
        else:
            run.append(attack)
    return boots + ([Boot(cell, run)] if run else [])


def cell_of(by_layout):
    """What happened in one safety kind: the rarer outcomes with their layouts, then the usual one."""
    by_outcome = {}
    for layout, outcome in by_layout:
        by_outcome.setdefault(outcome, []).append(layout)
    texts = []
    for outcome, where in sorted(by_outcome.items(), key=lambda item: len(item[1])):
        text = outcome.replace("ended ", "").replace("-", " ")
        texts.append((f"**{text}**" if outcome in ("succeeds", "crashes") else text, where))
    return "; ".join([f"{text} in {', '.join(where)}" for text, where in texts[:-1]] +
                     [text for text, _ in texts[-1:]])


def table_of(table, outcomes, layouts):
    """The summary as Markdown, a row for each attack."""
    lines = ["| attack | " + " | ".join(SAFETY) + " |", "|---|" + "---|" * len(SAFETY)]
    for attack in table:
        cells = [cell_of([(layout, outcomes[layout, safety, attack.name]) for layout in layouts
                          if (layout, safety, attack.name) in outcomes]) for safety in SAFETY]
        if any(cells):
            lines.append(f"| {attack.name.replace('_', '-')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def proofs_of(outcomes):
    """The summary by mechanism."""
    lines = ["| mechanism | attack | with it | without it |", "|---|---|---|---|"]
    for mechanism, having, lacking, names in PROOFS:
        for name in names:
            cells = [cell_of([(layout, outcomes.get((layout, "unchecked", name), "not run"))
                              for layout in layouts]) for layouts in (having, [lacking])]
            lines.append(f"| `{mechanism}` | {name.replace('_', '-')} | {cells[0]} | "
                         f"{cells[1]} |")
    return "\n".join(lines) + "\n"


def table_in(path, table, new=None):
    """A summary in a document; `new` takes its place."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    marker = f"<!-- {table}: begin -->"
    begin, end = text.index(marker) + len(marker), text.index(f"<!-- {table}: end -->")
    if new is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text[:begin] + "\n" + new + text[end:])
    return text[begin:end].strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bulkhead")
    parser.add_argument("--layout", action="append")
    parser.add_argument("--safety", action="append", choices=SAFETY)
    parser.add_argument("--attack", action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--table")
    parser.add_argument("--check")
    parser.add_argument("--verbose", action="store_true", help="print every guest's console")
    parser.add_argument("--slow", action="store_true", help="name the slowest boots")
    options = parser.parse_args()
    table = attacks.read(os.path.join(HERE, "attacks.table"))
    wanted = [a for a in table if not options.attack or a.name in options.attack]
    layouts = options.layout or list(GRID)
    outcomes, wrong, unreached, boots = {}, [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for layout in layouts:
            kinds = (SAFETY[:1] if layout in MECHANISMS else
                     SAFETY if layout in MASKED else SAFETY[:2])
            for safety in options.safety or kinds:
                boots += boots_of(Cell(layout, safety, folder), wanted)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            runs = [(boot, pool.submit(boot.run, options.bulkhead, folder)) for boot in boots]
            for boot, run in runs:
                code, text = run.result()
                if options.verbose:
                    print(f"== {boot.cell} {boot.attacks[0].name}\n{text}")
                results = judge(boot, code, text)
                for attack in boot.attacks:
                    got = next((o for a, o in results if a is attack), "no result")
                    expected = attack.outcome(boot.cell.words)
                    outcomes[boot.cell.layout, boot.cell.safety, attack.name] = got.split(":")[0]
                    if got.startswith("not reached"):
                        unreached.append(f"{boot.cell} {attack.name}")
                    elif got.split(":")[0] != expected:
                        wrong.append(f"{boot.cell} {attack.name}: expected '{expected}', "
                                     f"got '{got}'")
    for line in wrong:
        print(line)
    if unreached:
        wrong.append("attacks were not reached")
        print(f"not reached because of that: {', '.join(unreached[:5])} ({len(unreached)} in all)")
    summaries = (table_of(table, outcomes, [name for name in WHOLE if name in layouts]),
                 proofs_of(outcomes))
    for name, summary in zip(TABLES, summaries):
        if options.table and not wrong:
            table_in(options.table, name, summary)
        if options.check and table_in(options.check, name) != summary.strip():
            wrong.append(f"the table '{name}' in the document is another one")
            print(f"{options.check}: its table '{name}' is not what this run gave; write it anew "
                  "with --table")
    for boot in sorted(boots, key=lambda boot: boot.seconds)[-5:] if options.slow else []:
        print(f"{boot.seconds:.1f} s: {boot.cell} from {boot.attacks[0].name} on")
    print(f"{len(outcomes)} attacks in {len(boots)} boots, {len(wrong)} not as expected")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
