"""The key-value server: one answer in every layout, which a model of the clients foretells.

usage: kv.py BULKHEAD DIR
"""
import decimal
import os
import re
import shutil
import statistics
import sys

import command

LAYOUTS = ("unchecked", "sip-phys", "sip-page", "hip-r0", "hip-r0-s", "hip-r3", "hip-r3-s",
           "monolithic", "microkernel", "hip-r3-s-kpti-pcid", "pku", "hardened",
           "microkernel-shared", "microkernel-remap")
KEYS, REQUESTS, WARMUP, SEED, CLIENTS = 60, 250, 4, 1, 4
MIXES = {"kv-request-a": 50, "kv-request-b": 5, "kv-request-c": 0}
WORD = (1 << 64) - 1
PRIME = 0x100000001b3

# ---- the model ----

decimal.getcontext().prec = 60
ITEMS, THETA = decimal.Decimal(10) ** 10, decimal.Decimal("0.99")
ZETA = decimal.Decimal("26.46902820178302")  # YCSB's
SECOND = 1 + decimal.Decimal("0.5") ** THETA
ETA = (1 - (2 / ITEMS) ** (1 - THETA)) / (1 - SECOND / ZETA)


def rank(draw):
    """YCSB's ZipfianGenerator with 60 digits, where the guest has integers."""
    uniform = decimal.Decimal(draw) / (1 << 53)
    if uniform * ZETA < SECOND:
        return int(uniform * ZETA >= 1)
    return int(ITEMS * (ETA * uniform - ETA + 1) ** 100)


def scrambled(number):
    value = 0xcbf29ce484222325
    for _ in range(8):
        value = ((value ^ number & 0xff) * PRIME) & WORD
        number >>= 8
    return min(value, (1 << 64) - value)


class Client:
    """The first client: which keys it asks for, and how often each was set until then."""

    def __init__(self):
        self.state = SEED * CLIENTS * 2 + 1
        self.versions = [1] * KEYS

    def draw(self):
        self.state ^= self.state >> 12
        self.state ^= self.state << 25 & WORD
        self.state ^= self.state >> 27
        return self.state * 0x2545f4914f6cdd1d & WORD

    def run(self, percent, requests):
        total = SEED + 1
        for _ in range(requests):
            put = (self.draw() >> 32) * 100 >> 32 < percent
            key = scrambled(rank(self.draw() >> 11)) % KEYS
            self.versions[key] += put
            total = (total ^ (self.versions[key] << 32 | key << 1 | put)) * PRIME & WORD
        return f"{total:016x}"


# ---- checks ----

def run(bulkhead, folder, name, layouts, params):
    """{(layout, op, params): record}"""
    path, out = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"experiment: {name}\nlayouts: [{', '.join(layouts)}]\nwarmup: {WARMUP}\n"
                   f"workloads: [{{workload: kv, params: {params}}}]\nseed: {SEED}\n")
    command.run(bulkhead, "run", path, "--backend", "qemu", "--simulate", "--out", out)
    return {(record["layout"], record["op"], command.params_text(record["params"])): record
            for record in command.records(out)}


def answers_check(failures, records):
    client = Client()
    client.run(MIXES["kv-request-a"], WARMUP)
    wanted = {op: client.run(percent, REQUESTS) for op, percent in MIXES.items()}
    whole = set()
    for (layout, op, _), record in records.items():
        failures.check(record["status"] in ("ok", "simulated"), f"{layout}: {record['reason']}")
        if op in wanted:
            failures.check(record["oracle"] == wanted[op],
                           f"{layout} {op}: oracle {record['oracle']}, expected {wanted[op]}")
        else:
            whole.add(record["oracle"])
    failures.check(len(whole) == 1, f"table and replies differ: oracles {sorted(whole)}")


def events_check(failures, records):
    """A GET is two messages, whoever asks."""
    for (layout, op, _), record in records.items():
        messages = record["events"]["messages"]
        if op == "kv-request-c":
            failures.check(abs(messages - 2) < 0.02, f"{layout} {op}: {messages} messages")
        copied = record["events"]["bytes_copied"]
        apart = layout.startswith(("hip-r3", "monolithic")) or \
            layout in ("microkernel", "pku", "hardened")
        failures.check((copied > 0) == apart, f"{layout} {op}: {copied} bytes copied")


def growth_check(failures, bulkhead, folder):
    """What a request takes does not depend on how many there were, nor on what the log holds."""
    records = run(bulkhead, folder, "growth", ("sip-phys", "hip-r3-s"),
                  "{requests: [2K, 4K], keys: 50, log-bytes: [64K, 4M]}")
    cost = {key: statistics.median(record["samples"]) for key, record in records.items()}
    for (layout, op, params), value in cost.items():
        if "requests=2048" in params:
            twice = cost[layout, op, params.replace("requests=2048", "requests=4096")]
            failures.check(abs(twice / value - 1) < 0.03,
                           f"{layout} {op} {params}: {value:g}, with twice the requests {twice:g}")
    for layout in ("sip-phys", "hip-r3-s"):
        small, large = (value for (name, op, params), value in sorted(cost.items())
                        if name == layout and op == "kv-request-a" and "requests=4096" in params and
                        re.search("log-bytes=(65536|4194304)", params))
        if small < large:
            small, large = large, small
        failures.check(1.01 < small / large < 1.6,
                       f"{layout}: {small:g} with a small log, {large:g} with a large one")
    return len(cost)


REFUSED = [
    ("clients=0", "param 'clients' must be from 1 to 4"),
    ("clients=5", "param 'clients' must be from 1 to 4"),
    ("keys=0", "param 'keys' must be from 1 to 1024"),
    ("keys=1025", "param 'keys' must be from 1 to 1024"),
    ("value-bytes=0", "param 'value-bytes' must be from 1 to 1024"),
    ("value-bytes=1025", "param 'value-bytes' must be from 1 to 1024"),
    ("requests=0", "param 'requests' must be from 1 to 16777216"),
    ("log-bytes=65535", "param 'log-bytes' must be from 64K to 6M"),
    ("log-bytes=6291457", "param 'log-bytes' must be from 64K to 6M"),
    ("log-bytes=65536", "param 'log-bytes' is less than twice what the table takes"),
]


def refused_check(failures, bulkhead, folder):
    out = os.path.join(folder, "refused")
    for setting, text in REFUSED:
        shutil.rmtree(out, ignore_errors=True)
        command.run(bulkhead, "run", "--layout", "hip-r3-s", "--workload", "kv", "--set", setting,
                    "--backend", "qemu", "--out", out, status=4)
        reasons = [record["reason"] for record in command.records(out) if record["reason"]]
        failures.check(reasons and text in reasons[0], f"{setting}: {reasons}, not '{text}'")


def main(bulkhead, folder):
    failures = command.Failures()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    masked = os.path.join(folder, "masked.yaml")
    with open(masked, "w", encoding="utf-8") as file:
        file.write("layout: masked\nextends: sip-page\nsafety: masked\n")
    records = run(bulkhead, folder, "cells", (*LAYOUTS, masked),
                  f"{{clients: {CLIENTS}, keys: {KEYS}, requests: {REQUESTS}}}")
    failures.check(len(records) == 4 * (len(LAYOUTS) + 1), f"{len(records)} records")
    answers_check(failures, records)
    events_check(failures, records)
    grown = growth_check(failures, bulkhead, folder)
    refused_check(failures, bulkhead, folder)
    failures.finish(f"{len(records) + grown} operations, {len(REFUSED)} wrong params refused")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
