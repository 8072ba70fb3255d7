#!/usr/bin/python3
"""What follows when a SIP fails: the report, the memory that comes back, a service that is started
again, and other SIPs that go on beside one without end. `failures.py BULKHEAD`; exits with 1 and says
which expectations did not hold."""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

import attacks

HERE = os.path.dirname(os.path.abspath(__file__))
LADDER = ["sip-phys", "sip-page", "hip-r0", "hip-r0-s", "hip-r3", "hip-r3-s"]
GUEST_FAILED = 4

INLINED = "sip_main"  # what a compiler has put into another function has that one's name

# attack: (safety, what the report says, its address, the function): at least one of each kind.
REPORTS = [
    ("write_kernel_data", "unchecked", "page fault", "0xffffffff80600000", "write_kernel_data"),
    ("read_non_canonical", "unchecked", "general protection fault", "0x0", "read_non_canonical"),
    ("call_forged", "unchecked", "page fault", "0x7f0007654321", ""),
    ("write_below_stack", "unchecked", "stack overflow", None, "write_below_stack"),
    ("deep_recursion", "unchecked", "stack overflow", None, "recurse"),
    ("divide_by_zero", "unchecked", "divide by zero or overflow", "0x0", "divide_by_zero"),
    ("illegal_instruction", "unchecked", "illegal instruction", "0x0", "illegal_instruction"),
    ("halt", "unchecked", "general protection fault", "0x0", "halt"),
    ("contract_wrong_state", "unchecked", "contract violation", "0x0", None),
    ("flood_quota", "unchecked", "quota exhausted", None, None),
    ("write_peer", "checked", "out of bounds", "0x0", "read_peer|write_peer|spoil"),
    ("call_forged", "checked", "bad indirect call", "0x0", INLINED),
    ("divide_by_zero", "checked", "divide by zero", "0x0", INLINED),
    ("divide_overflow", "checked", "integer overflow", "0x0", INLINED),
    ("unreachable", "checked", "unreachable", "0x0", INLINED),
    ("deep_recursion_calls", "checked", "stack overflow", "0x0", "recurse_and_call"),
    ("load_sent", "checked", "stale handle", "0x0", INLINED),
    ("contract_wrong_state", "checked", "contract violation", "0x0", None),
]
TABLE = {attack.name: attack for attack in attacks.read(os.path.join(HERE, "attacks.table"))}


class Tests:
    def __init__(self, bulkhead, folder):
        self.bulkhead, self.folder, self.count = bulkhead, folder, 0

    def layout(self, name, safety, *lines):
        """A shipped layout with a safety kind and other keys."""
        path = os.path.join(self.folder, f"{name}.{safety}.{len(lines)}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join([f"layout: {name}", f"extends: {name}", f"safety: {safety}",
                                  *lines, ""]))
        return path

    def run(self, layout, workload, *options):
        """(status, console, figures by operation) of one run."""
        self.count += 1
        out = os.path.join(self.folder, f"out-{os.path.basename(layout)}-{workload}-{self.count}")
        command = [self.bulkhead, "run", "--layout", layout, "--workload",
                   os.path.join(HERE, "workloads", workload + ".yaml"), "--backend", "qemu", "--jobs",
                   "1", "--out", out, "-v", *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        samples = []
        if os.path.exists(os.path.join(out, "samples.jsonl")):
            with open(os.path.join(out, "samples.jsonl"), encoding="utf-8") as file:
                samples = [json.loads(line) for line in file]
        return done.returncode, done.stdout.decode("utf-8", "replace"), samples

    def report(self, name, safety, kind, address, function):
        attack = TABLE[name]
        _, console, _ = self.run(self.layout("hip-r3-s", safety), "breakout", "--set",
                                 f"first={attack.number}", "--set", f"last={attack.number}")
        match = re.search(r"SIP '(\S+)' ended: ([^,]+), address (\S+), at (\S+) ?(\S*)", console)
        if not match:
            return "there is no report"
        got = match.groups()
        if got[0] != attack.template or got[1] != kind or address not in (None, got[2]):
            return f"'{match.group(0)}' is not of SIP '{attack.template}': {kind}, {address}"
        if function is not None and not re.match(function or "$", got[4]):
            return f"'{match.group(0)}' does not name {function or 'no function'}"
        return None

    def churn(self, layout, safety):
        status, console, _ = self.run(self.layout(layout, safety), "churn", "--timeout", "200")
        return None if status == 0 else console[-400:]

    def restart(self, layout, safety):
        status, console, samples = self.run(self.layout(layout, safety, "on-fault: restart"),
                                            "restart")
        if status:
            return console[-400:]
        operations = {sample.get("operation") or sample.get("op") for sample in samples}
        if not {"restart", "restart-notice"} <= operations:
            return f"it measured {operations}"
        return None

    def no_restart(self, layout, safety):
        status, console, _ = self.run(self.layout(layout, safety), "restart")
        if status != GUEST_FAILED or "was not started again" not in console:
            return f"a service was started again that should not be: {console[-400:]}"
        return None

    def loop(self, layout, safety):
        """Others finish while a SIP without end still runs, which its budget ends then."""
        status, console, _ = self.run(self.layout(layout, safety, "preempt: on"), "loop")
        done, ended = console.find("worker: done"), console.find("'loop' ended: budget exceeded")
        if status or done < 0 or ended < 0:
            return console[-400:]
        return None if done < ended else "the others came only after the SIP without end"

    def loop_alone(self, layout, safety):
        status, console, _ = self.run(self.layout(layout, safety), "loop", "--timeout", "2")
        if status != GUEST_FAILED or "timeout" not in console:
            return f"nothing should end it without preemption: {console[-400:]}"
        return None


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: failures.py BULKHEAD")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        tests = Tests(sys.argv[1], folder)
        work = [("churn", layout, safety) for layout, safety in
                (("sip-phys", "checked"), ("sip-page", "checked"), ("hip-r0-s", "checked"),
                 ("hip-r3-s", "checked"), ("hip-r3-s", "unchecked"))]
        work += [("report", *row) for row in REPORTS]
        work += [(test, layout, safety) for test in ("restart", "loop") for layout in LADDER
                 for safety in ("unchecked", "checked")]
        work += [("no_restart", "hip-r3-s", "checked"), ("loop_alone", "sip-page", "checked")]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = [(item, pool.submit(getattr(tests, item[0]), *item[1:])) for item in work]
            for item, run in runs:
                why = run.result()
                print(f"{'not ok' if why else 'ok'} - {' '.join(str(part) for part in item[:3])}")
                if why:
                    failed += 1
                    print(f"# {why}")
    print(f"{len(work)} expectations, {failed} not met")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
