#!/bin/sh
# Hosts that lack something: the message says what and how to mend it, the status is 3.
. "$(dirname "$0")/lib.sh"
use_fixture

expect 3 env PATH=/nonexistent "$bulkhead" doctor --kvm-device /nonexistent/kvm
says out "/nonexistent/kvm does not exist"
says out "apt-get install qemu-system-x86"
says out "apt-get install bochs bochs-term"
says out "auto   finds nothing to take"

pair="--layout sip-page --workload abi-call --seed 100"
# shellcheck disable=SC2086
expect 3 env PATH=/nonexistent "$bulkhead" run $pair --backend qemu --out "$work/set"
says err "apt-get install qemu-system-x86"
# shellcheck disable=SC2086
expect 3 "$bulkhead" run $pair --backend kvm --kvm-device /nonexistent/kvm --out "$work/set"
says err "/nonexistent/kvm does not exist"
# shellcheck disable=SC2086
expect 3 "$bulkhead" run $pair --backend kvm --kvm-device /dev/null --out "$work/set"
says err "not a KVM device"
# shellcheck disable=SC2086
expect 3 "$bulkhead" run $pair --backend kvm --allow-untrusted --kvm-device /nonexistent/kvm \
    --out "$work/set"
check "no result set is left by a refused run" [ ! -e "$work/set" ]

expect 0 "$bulkhead" doctor --kvm-device /nonexistent/kvm
says out "auto   takes qemu"
expect 0 "$bulkhead" doctor --kvm-device /nonexistent/kvm -v
says out "ring-3 round trip by syscall"
expect 0 "$bulkhead" doctor --format json
check "doctor --format json is JSON" python3 -c '
import json, sys
doctor = json.load(open(sys.argv[1]))
assert doctor["auto"] in ("kvm", "qemu"), doctor["auto"]
kvm, qemu, bochs = doctor["backends"]
assert qemu["usable"] and qemu["unit"] == "instructions" and qemu["tests"]["ring3_int"]["passed"]
assert kvm["usable"] or kvm["why"]
assert bochs["usable"] and bochs["unit"] == "instructions", bochs["why"]
for name, test in qemu["tests"].items():
    assert bochs["tests"][name].get("ticks") == test.get("ticks"), (name, bochs["tests"][name])
assert bochs["features"]["PCID"] and not qemu["features"]["PCID"]
assert "tigerlake" in bochs["cpu_models"].split()
' "$work/out"

# The CPU that Bochs models: by name, in what is said of it and in what a guest finds.
expect 0 "$bulkhead" doctor --kvm-device /nonexistent/kvm --cpu ryzen --format json
check "doctor --cpu models that CPU" python3 -c '
import json, sys
bochs = json.load(open(sys.argv[1]))["backends"][2]
assert bochs["version"].endswith(", CPU model ryzen"), bochs["version"]
assert not bochs["features"]["PCID"] and bochs["features"]["SVM"], bochs["features"]
' "$work/out"
# shellcheck disable=SC2086
expect 3 "$bulkhead" run $pair --backend bochs --cpu tigerlak --out "$work/set"
says err "no CPU model tigerlak; did you mean tigerlake?"
# shellcheck disable=SC2086
expect 3 env PATH=/nonexistent "$bulkhead" run $pair --backend bochs --out "$work/set"
says err "apt-get install bochs bochs-term"
# shellcheck disable=SC2086
expect 2 "$bulkhead" run $pair --backend qemu --cpu ryzen --out "$work/set"
says err "--cpu goes with --backend bochs"
check "no result set is left by a refused run" [ ! -e "$work/set" ]

# list mechanisms asks a guest, here the fixture: it has PGE and SMEP, and not PCID.
expect 3 env PATH=/nonexistent "$bulkhead" list mechanisms --backend qemu
says err "apt-get install qemu-system-x86"
expect 3 "$bulkhead" list mechanisms --backend kvm --kvm-device /nonexistent/kvm
says err "/nonexistent/kvm does not exist"
check "nothing is listed for a backend that is not usable" [ ! -s "$work/out" ]
expect 0 "$bulkhead" list mechanisms --kvm-device /nonexistent/kvm
says err "taking qemu, since kvm is not usable here"
says out "on qemu (QEMU emulator"
says out "  tag: pcid               no  needs PCID, which this CPU does not have"
says out "  smep: on                yes ring 0 cannot run code of pages that ring 3 can reach"
says out "against: a corrupted kernel jumping into a SIP's code"
check "without --long no sources" [ "$(grep -c source: "$work/out")" -eq 0 ]
expect 0 "$bulkhead" list mechanisms --backend bochs --cpu ryzen --long
says out "CPU model ryzen)"
says out "acts at: load of CR3"
says out "set for: a layout: it is one for the whole machine"
says out "source: Intel SDM 3A 4.10.2.4"
expect 1 env BULKHEAD_IMAGES="$work/nowhere" "$bulkhead" list mechanisms --backend qemu
says err "$work/nowhere"

# auto says in one line why it does not take the first.
# shellcheck disable=SC2086
expect 0 "$bulkhead" run $pair --kvm-device /nonexistent/kvm --out "$work/set"
says err "taking qemu, since kvm is not usable here: /nonexistent/kvm does not exist"

expect 1 env BULKHEAD_IMAGES="$work/nowhere" "$bulkhead" run $pair --backend qemu --out "$work/no"
says err "$work/nowhere"
check "no result set without a kernel" [ ! -e "$work/no" ]
finish
