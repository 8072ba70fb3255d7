"""Nothing grows with the SIPs and channels that are there: a round trip costs the same beside many.

usage: growth.py BULKHEAD DIR

Writes ping-pong workloads in which the client also has channels to further services, which wait: as
many SIPs and channels, twice as many, and so on. What grows with past messages is looked at where
the workloads are (memory.py, paper.py, kv.py, packets.py, http.py).
"""
import os
import shutil
import sys

import command

LAYOUTS = ("sip-page", "hip-r0-s", "hip-r3", "hip-r3-s")
BESIDE = (0, 7, 14, 28)  # a SIP has 31 ends

WORKLOAD = """workload: {name}
about: A round trip beside {count} other services that wait on channels of their own.
sips:
  client: {{image: ping-pong-client, role: application}}
  server: {{image: ping-pong-server, role: service}}
{sips}channels:
  ping: {{from: client, to: server, depth: 4, bytes: bytes}}
{channels}params: {{bytes: 1}}
oracle: checksum
"""


def write(folder, count):
    name = f"beside-{count}"
    sips = "".join(f"  other-{i}: {{image: hostile-waiter, role: service}}\n" for i in range(count))
    channels = "".join(f"  beside-{i}: {{from: client, to: other-{i}, depth: 4, bytes: bytes}}\n"
                       for i in range(count))
    with open(f"{folder}/{name}.yaml", "w", encoding="utf-8") as file:
        file.write(WORKLOAD.format(name=name, count=count, sips=sips, channels=channels))
    return f"{folder}/{name}.yaml"


def main():
    bulkhead, folder = sys.argv[1:]
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    failures = command.Failures()
    workloads = [write(folder, count) for count in BESIDE]
    for layout in LAYOUTS:
        figures = []
        for number, workload in enumerate(workloads):
            out = f"{folder}/{layout}-{number}"
            command.run(bulkhead, "run", "--layout", layout, "--workload", workload, "--backend", "qemu",
                        "--out", out)
            (record,) = command.records(out)
            figures.append(sorted(record["samples"])[len(record["samples"]) // 2])
        # Which page of a heap a message gets may move by where the others' memory lies: a few
        # instructions between none and some, and nothing from there on.
        failures.check(len(set(figures[1:])) == 1 and abs(figures[1] - figures[0]) < 0.01 * figures[0],
                       f"{layout}: a round trip takes {figures} instructions beside {BESIDE} services")
    failures.finish(f"{len(LAYOUTS)} layouts: a round trip costs the same beside up to {BESIDE[-1]} services")


main()
