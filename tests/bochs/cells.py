"""A core of cells on bochs and on qemu: the same answers and events, and counts that agree.

usage: cells.py BULKHEAD DIR

The counts may differ only in string instructions with a rep prefix: while the count register lasts,
qemu counts one more than there are repetitions and bochs as many as there are (docs/backends.md).
"""
import os
import shutil
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import command  # noqa: E402 (it is found by the line above)

LAYOUTS = ["unchecked", "sip-page", "hip-r0-s", "hip-r3-s", "microkernel-remap"]
AGAIN = "hip-r3-s"  # this layout runs twice on bochs
WORKLOADS = """
  - abi-call
  - yield
  - {workload: ping-pong, params: {bytes: [1, 32768]}}
  - create-sip
  - ping-pong-contract
"""
OTHER_MODELS = ["corei7_skylake_x", "ryzen"]
PAGE = 4096
# Making a SIP clears its pages and its table pages, and copies its data: a rep instruction each.
CREATE_SIP_REPS = range(1, 41)


def run(bulkhead, folder, name, layouts, *options):
    """{(layout, workload, params, op): record} of the core in these layouts."""
    experiment = os.path.join(folder, name + ".yaml")
    out = os.path.join(folder, name)
    with open(experiment, "w", encoding="utf-8") as file:
        file.write(f"experiment: core\nlayouts: [{', '.join(layouts)}]\nworkloads: {WORKLOADS}")
    command.run(bulkhead, "run", experiment, "--out", out, *options)
    return {(record["workload"], record["op"], record["layout"],
             command.params_text(record["params"])): record for record in command.records(out)}


def reps_expected(record):
    """How many rep instructions that repeat at all an operation has, as a range."""
    if record["workload"] == "create-sip":
        return CREATE_SIP_REPS
    copies = 0
    if record["events"]["bytes_copied"]: # a message each way: its header, and its payload by pages
        copies = 2 * (1 + -(-record["params"]["bytes"] // PAGE))
    return range(copies, copies + 1)


def compare(failures, key, bochs, qemu):
    name = command.cell_name(key)
    for field in ("status", "kind", "unit", "n", "oracle", "events", "overhead"):
        failures.check(bochs.get(field) == qemu.get(field),
                       f"{name}: {field} is {bochs.get(field)} on bochs, {qemu.get(field)} on qemu")
    counts = [statistics.median(record["samples"]) for record in (bochs, qemu)]
    reps = reps_expected(qemu)
    failures.check(counts[1] - counts[0] in reps,
                   f"{name}: {counts[0]} instructions on bochs, {counts[1]} on qemu: not {reps}")
    print(f"{name}: {counts[0]:g} instructions on bochs, {counts[1]:g} on qemu")


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    qemu = run(bulkhead, folder, "qemu", LAYOUTS, "--backend", "qemu")
    bochs = run(bulkhead, folder, "bochs", LAYOUTS, "--backend", "bochs")
    failures.check(len(qemu) == 6 * len(LAYOUTS), f"{len(qemu)} records of qemu")
    failures.check(qemu.keys() == bochs.keys(), "bochs and qemu measured different operations")
    for key in sorted(qemu.keys() & bochs.keys()):
        compare(failures, key, bochs[key], qemu[key])
    version = command.manifest(os.path.join(folder, "bochs"))["backend_version"]
    failures.check(version.endswith(", CPU model tigerlake"), f"bochs is {version}")
    for name, options in [("again", [])] + [(model, ["--cpu", model]) for model in OTHER_MODELS]:
        for key, record in run(bulkhead, folder, name, [AGAIN], "--backend", "bochs",
                               *options).items():
            failures.check(record == bochs[key], f"{command.cell_name(key)}: differs {name}")
    failures.finish(f"# {len(bochs)} operations agree on bochs and on qemu")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
