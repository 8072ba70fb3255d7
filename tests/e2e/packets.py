"""The packet pipeline: one answer in every layout and for every number of stages, exact counts of
messages, and what a boundary costs a packet.

usage: packets.py BULKHEAD DIR
"""
import os
import shutil
import statistics
import sys

import command

LAYOUTS = ("unchecked", "sip-phys", "sip-page", "hip-r0", "hip-r0-s", "hip-r3", "hip-r3-s",
           "monolithic", "microkernel", "hip-r3-s-kpti-pcid", "pku", "hardened",
           "microkernel-shared", "microkernel-remap")
FEW = ("sip-phys", "hip-r0-s", "hip-r3-s")
BATCH, SAMPLES, WARMUP = 8, 3, 3
HEADER_BYTES, SLOT_BYTES = 16, 72  # sizeof(struct abi_message), PACKET_SLOT_BYTES
TALLY_BYTES = 8 + 16  # of question and answer


def run(bulkhead, folder, name, layouts, params, samples=SAMPLES):
    """{(layout, params): record}"""
    path, out = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"experiment: {name}\nlayouts: [{', '.join(layouts)}]\n"
                   f"workloads: [{{workload: packets, params: {params}}}]\n"
                   f"warmup: {WARMUP}\nbatch: {BATCH}\nsamples: {samples}\n")
    command.run(bulkhead, "run", path, "--backend", "qemu", "--simulate", "--out", out)
    return {(record["layout"], command.params_text(record["params"])): record
            for record in command.records(out)}


def cost(record):
    return statistics.median(record["samples"])


def answers_check(failures, records):
    """By how many packets there were; stages and layouts change nothing."""
    answers = {}
    for (layout, params), record in records.items():
        failures.check(record["status"] in ("ok", "simulated"), f"{layout}: {record['reason']}")
        packets = record["params"]["batch-packets"] * record["params"]["rounds"]
        wanted = answers.setdefault(packets, record["oracle"])
        failures.check(record["oracle"] == wanted and int(wanted, 16),
                       f"{layout} {params}: oracle {record['oracle']}, elsewhere {wanted}")
    failures.check(len(set(answers.values())) == len(answers), "different packets, one oracle")


def events_check(failures, records):
    """Each batch crosses stages + 1 channels; every `window` batches a channel has an answer; and the
    sink is asked and answers once."""
    for (layout, params), record in records.items():
        values = record["params"]
        channels, batches = values["stages"] + 1, BATCH * values["rounds"]
        packets = batches * values["batch-packets"]
        messages = channels * (batches + batches // values["window"]) + 2
        seen = record["events"]["messages"] * packets
        failures.check(abs(seen - messages) < 0.01 * messages,
                       f"{layout} {params}: {seen:g} messages, expected {messages}")
        copied = record["events"]["bytes_copied"] * packets
        if layout in ("hip-r3-s", "microkernel"):
            wanted = messages * HEADER_BYTES + channels * packets * SLOT_BYTES + TALLY_BYTES
            failures.check(abs(copied - wanted) < 0.01 * wanted,
                           f"{layout} {params}: {copied:g} bytes copied, expected {wanted}")
        elif layout in ("sip-phys", "hip-r0-s", "microkernel-shared", "microkernel-remap"):
            failures.check(copied == 0, f"{layout} {params}: {copied:g} bytes copied")


def boundary_check(failures, records):
    """(stages n - stages 1) / (n - 1), per packet."""
    boundary = {}
    for (layout, params), record in records.items():
        stages = record["params"]["stages"]
        if stages > 1:
            first = records[layout, params.replace(f"stages={stages}", "stages=1")]
            key = (layout, record["params"]["batch-packets"], stages)
            boundary[key] = (cost(record) - cost(first)) / (stages - 1)
    for (layout, packets, stages), value in boundary.items():
        failures.check(value > 0, f"{layout} {packets} {stages}: a boundary costs {value:g}")
        if packets == 32:
            alone = boundary[layout, 1, stages]
            failures.check(value < alone / 6, f"{layout}: {value:g} a packet of 32, {alone:g} of 1")
        if stages == 8:
            other = boundary[layout, packets, 3]
            failures.check(abs(value / other - 1) < 0.15,
                           f"{layout} {packets}: a boundary costs {other:g} with 3 stages, "
                           f"{value:g} with 8")
    for packets in (1, 32):
        values = [boundary[layout, packets, 8] for layout in FEW]
        failures.check(values[0] < values[1] < values[2],
                       f"a boundary of {', '.join(FEW)} costs {values}")


def growth_check(failures, records):
    for (layout, params), record in records.items():
        if record["params"]["rounds"] == 8:
            twice = cost(records[layout, params.replace("rounds=8", "rounds=16")])
            failures.check(abs(twice / cost(record) - 1) < 0.02,
                           f"{layout}: {cost(record):g}, with twice the packets {twice:g}")


REFUSED = [
    ("stages=0", "param 'stages' must be from 1 to 8"),
    ("stages=9", "param 'stages' must be from 1 to 8"),
    ("batch-packets=0", "param 'batch-packets' must be from 1 to 32"),
    ("batch-packets=33", "param 'batch-packets' must be from 1 to 32"),
    ("window=0", "param 'window' must be from 1 to 8"),
    ("window=9", "param 'window' must be from 1 to 8"),
    ("rounds=0", "param 'rounds' must be from 1 to 65536"),
    ("rounds=65537", "param 'rounds' must be from 1 to 65536"),
]


def refused_check(failures, bulkhead, folder):
    out = os.path.join(folder, "refused")
    for setting, text in REFUSED:
        shutil.rmtree(out, ignore_errors=True)
        command.run(bulkhead, "run", "--layout", "hip-r3-s", "--workload", "packets", "--set",
                    setting, "--backend", "qemu", "--out", out, status=4)
        reasons = [record["reason"] for record in command.records(out)]
        failures.check(text in reasons[0], f"{setting}: {reasons}, not '{text}'")


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    masked = os.path.join(folder, "masked.yaml")
    with open(masked, "w", encoding="utf-8") as file:
        file.write("layout: masked\nextends: sip-page\nsafety: masked\n")
    cells = run(bulkhead, folder, "cells", (*LAYOUTS, masked), "{stages: 5, batch-packets: 4}")
    grid = run(bulkhead, folder, "grid", FEW, "{stages: [1, 3, 8], batch-packets: [1, 32]}")
    window = run(bulkhead, folder, "window", ("hip-r3-s",), "{window: [1, 4]}")
    growth = run(bulkhead, folder, "growth", ("sip-phys", "hip-r3-s"), "{rounds: [8, 16]}", 6)
    failures.check(len(cells) == len(LAYOUTS) + 1, f"{len(cells)} records")
    for records in (cells, grid, window):
        answers_check(failures, records)
        events_check(failures, records)
    boundary_check(failures, grid)
    growth_check(failures, growth)
    refused_check(failures, bulkhead, folder)
    count = sum(len(records) for records in (cells, grid, window, growth))
    failures.finish(f"{count} cells, {len(REFUSED)} wrong params refused")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
