"""The Linux peer's figures are there, plausible and told truthfully.

usage: peer.py native BULKHEAD WORK
       peer.py guest BULKHEAD WORK SOURCE

`guest` downloads Debian's kernel into SOURCE/build/nested unless it is there; 77 when it cannot.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import command  # noqa: E402

SAMPLES = 10
QUICK = ("--samples", str(SAMPLES), "--batch", "16")
SIZES = (1, 64, 1024, 4096, 32768, 65536)
SINGLE = ("abi-call", "yield", "create-sip", "create-thread")


def expected(layout):
    """{(layout, workload, params)} that a whole set has."""
    cells = {(layout, name, "-") for name in SINGLE} | {(layout + "-fork", "create-sip", "-")}
    cells |= {(layout, "page-alloc", f"pages={pages}") for pages in (1, 16)}
    cells.add((layout, "webfiles", "passes=1,reads=1000"))
    cells |= {(layout + way, "ping-pong", f"bytes={size}")
              for way in ("", "-socketpair", "-futex") for size in SIZES}
    return cells


def medians(records):
    """{(layout, workload, params): [median of each boot]}"""
    found = {}
    for record in records:
        key = record["layout"], record["workload"], command.params_text(record["params"])
        if record["status"] == "ok":
            found.setdefault(key, []).append(statistics.median(record["samples"]))
    return found


def check_set(failures, folder, layout, unit, trusts, boots, optional=()):
    records = command.records(folder)
    manifest = command.manifest(folder)
    failures.check(manifest["complete"], "the set is not complete")
    failures.check(manifest["cells"] == len(records) == boots * len(expected(layout)),
                   f"{len(records)} records")
    found = medians(records)
    missing = {key for key in expected(layout) - set(found) if key[1] not in optional}
    failures.check(not missing, f"no figures of {missing}")
    for record in records:
        name = f"{record['layout']} {record['workload']} {record['params']}"
        failures.check(record["unit"] == unit and record["trust"] in trusts,
                       f"{name}: {record['unit']}, {record['trust']}")
        failures.check(record["events"] == {} and "events are not counted" in record["note"],
                       f"{name}: events")
        kind = "round-trip" if record["workload"] in ("ping-pong", "webfiles") else "single"
        failures.check(record["kind"] == kind, f"{name}: {record['kind']}")
        if record["status"] == "ok":
            samples = 1 if record["workload"] == "webfiles" else SAMPLES
            failures.check(record["n"] == samples and min(record["samples"]) > 0,
                           f"{name}: {record['n']} samples, least {min(record['samples'])}")

    def cost(workload, params="-", way=""):
        return statistics.median(found[layout + way, workload, params])

    # What can be said on any Linux: each needs all of what the other needs, and more.
    failures.check(cost("ping-pong", "bytes=1") > 4 * cost("abi-call"),
                   "a round trip by pipe is less than its four system calls")
    failures.check(cost("create-sip") > cost("create-sip", way="-fork") > cost("create-thread"),
                   "exec is not more than fork, or fork not more than a thread")
    failures.check(cost("page-alloc", "pages=16") > 2 * cost("page-alloc", "pages=1"),
                   "16 pages are less than twice one page")
    for way in ("", "-socketpair", "-futex"):
        failures.check(cost("ping-pong", "bytes=65536", way) > cost("ping-pong", "bytes=1", way),
                       f"64 KiB are not more than a byte{way}")
    return manifest, records


def native(failures, bulkhead, work):
    command.run(bulkhead, "peer", "linux", "--native", *QUICK, "--repeats", "2", "--out", work)
    # Without the right to a fixed priority the scheduler may not alternate: then no figure.
    manifest, _ = check_set(failures, work, "linux-native", "cycles", ("real", "nested"), 2,
                            ("yield",))
    folder = manifest["peer"]["command"].split()[2]
    failures.check(folder.startswith("/dev/shm/") and not os.path.exists(folder),
                   f"left behind: {folder}")


def boots_equal(records):
    """Whether all boots of each cell have the same samples."""
    first = {}
    for record in records:
        key = record["layout"], record["workload"], command.params_text(record["params"])
        if first.setdefault(key, record["samples"]) != record["samples"]:
            return False
    return True


def guest(failures, bulkhead, work, source):
    done = subprocess.run([os.path.join(source, "scripts", "nested-kvm.sh"), "--fetch", "--cache",
                           os.path.join(source, "build", "nested")], check=False)
    if done.returncode == 77:
        sys.exit(77)
    peer, ours = os.path.join(work, "peer"), os.path.join(work, "ours")
    command.run(bulkhead, "peer", "linux", "--guest", *QUICK, "--out", peer)
    manifest, records = check_set(failures, peer, "linux-guest", "instructions", ("emulated",), 2)
    failures.check("mitigations=off" in manifest["peer"]["command_line"] and
                   manifest["peer"]["mitigations"], "the manifest does not tell of mitigations")

    files = os.path.join(work, "files")
    command.run(bulkhead, "run", "--layout", "hip-r3-s", "--workload", "ping-pong", "--backend",
                "qemu", "--set", "bytes=1024", "--out", ours)
    command.run(bulkhead, "run", "--layout", "sip-page", "--workload", "webfiles", "--backend",
                "qemu", "--out", files)
    report = json.loads(command.run(bulkhead, "report", ours, files, peer, "--baseline",
                                    "linux-guest", "--format", "json"))
    # Boots that differ are flagged, those that are equal are not: told as it is.
    inexact = any("exact" in warning for warning in report["warnings"])
    failures.check(inexact != boots_equal(records), f"warnings: {report['warnings']}")
    failures.check(not any("checksum" in warning for warning in report["warnings"]),
                   "Linux carried other payloads than our SIPs")
    cells = {(cell["layout"], cell["workload"], command.params_text(cell["params"])): cell
             for cell in report["cells"]}
    for layout, operation in (("hip-r3-s", ("ping-pong", "bytes=1024")),
                              ("sip-page", ("webfiles", "passes=1,reads=1000"))):
        mine, linux = cells[(layout, *operation)], cells[("linux-guest", *operation)]
        failures.check(mine["oracle"] == linux["oracle"] and int(mine["oracle"], 16),
                       f"{operation}: not the same work by its checksums")
        failures.check(abs(mine["ratio"] - mine["median"] / linux["median"]) < 1e-9 and
                       linux["ratio"] == 1, f"{operation}: the ratio is not that of both figures")
    text = command.run(bulkhead, "report", ours, peer, "--baseline", "linux-guest")
    failures.check("linux-guest-futex" in text and "hip-r3-s" in text, "not side by side")


def main(place, bulkhead, work, *rest):
    failures = command.Failures()
    shutil.rmtree(work, ignore_errors=True)
    {"native": native, "guest": guest}[place](failures, bulkhead, work, *rest)
    failures.finish(f"{place}: all figures are there")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
