"""What the guest's counters say about each operation of the ladder, which is exact.

usage: counters.py BULKHEAD DIR        DIR: as ladder.py left it
"""
import os
import sys

import command

HEADER_BYTES = 16  # sizeof(struct abi_message)
ALIASES = {"unchecked": "sip-phys", "monolithic": "hip-r3", "microkernel": "hip-r3-s",
           "ping-pong-contract": "ping-pong"}  # checks in the code count no events

# By layout: ring of client and server, page-table switches of a round trip, whether it copies.
PAIRS = {
    "ping-pong": {
        "sip-phys": (0, 0, 0, False), "sip-page": (0, 0, 0, False),
        "hip-r0": (0, 0, 2, False), "hip-r0-s": (0, 0, 2, False),
        "hip-r3": (3, 0, 2, True), "hip-r3-s": (3, 3, 2, True),
    },
    "ping-pong-peers": {
        "sip-phys": (0, 0, 0, False), "sip-page": (0, 0, 0, False),
        "hip-r0": (0, 0, 0, False), "hip-r0-s": (0, 0, 2, False),
        "hip-r3": (3, 3, 0, False), "hip-r3-s": (3, 3, 2, True),
    },
}
CALLS = 2  # of the kernel at each end of a round trip: a send and a receive
YIELD_SWITCHES = {"hip-r0-s": 1, "hip-r3-s": 1}  # page tables; elsewhere both SIPs have one domain


def expected(workload, op, layout, params):
    """The events of one operation, or None where nothing is pinned."""
    layout, workload = ALIASES.get(layout, layout), ALIASES.get(workload, workload)
    if layout not in PAIRS["ping-pong"]:
        return None
    zero = dict.fromkeys(("ring_crossings", "table_switches", "tlb_flushes", "context_switches",
                          "bytes_copied", "messages", "page_faults"), 0)
    client_ring = PAIRS[workload if workload in PAIRS else "ping-pong"][layout][0]
    if (workload, op) == ("abi-call", "abi-call"):
        return {**zero, "ring_crossings": 2 if client_ring == 3 else 0}
    if (workload, op) == ("yield", "yield"):
        switches = YIELD_SWITCHES.get(layout, 0)
        return {**zero, "ring_crossings": 2 if client_ring == 3 else 0, "context_switches": 1,
                "table_switches": switches, "tlb_flushes": switches}
    if workload not in PAIRS or op != "ping-pong":
        return None
    client, server, switches, copies = PAIRS[workload][layout]
    size = int(params.removeprefix("bytes="))
    events = {**zero, "ring_crossings": 2 * CALLS * ((client == 3) + (server == 3)),
              "table_switches": switches, "tlb_flushes": switches, "context_switches": 2,
              "messages": 2, "bytes_copied": 2 * (size + HEADER_BYTES) if copies else 0}
    if copies:
        del events["tlb_flushes"]  # a block that was copied is freed, and may be unmapped
    return events


def main(bulkhead, folder):
    failures = command.Failures()
    pinned = 0
    for key, cell in command.cells(bulkhead, os.path.join(folder, "one"), "sip-phys").items():
        want = expected(*key)
        if want is None:
            continue
        pinned += 1
        for event, value in want.items():
            failures.check(cell["events"][event] == value,
                           f"{command.cell_name(key)}: {event} {cell['events'][event]:g}, "
                           f"expected {value}")
    failures.check(pinned >= 108, f"only {pinned} cells have pinned counters")
    failures.finish(f"{pinned} cells count what they should")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
