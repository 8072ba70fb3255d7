#!/bin/sh
# Hosts that lack something: the message says what and how to mend it, the status is 3.
. "$(dirname "$0")/lib.sh"
use_fixture

expect 3 env PATH=/nonexistent "$bulkhead" doctor --kvm-device /nonexistent/kvm
says out "/nonexistent/kvm does not exist"
says out "apt-get install qemu-system-x86"
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
kvm, qemu = doctor["backends"]
assert qemu["usable"] and qemu["unit"] == "instructions" and qemu["tests"]["ring3_int"]["passed"]
assert kvm["usable"] or kvm["why"]
' "$work/out"

# auto says in one line why it does not take the first.
# shellcheck disable=SC2086
expect 0 "$bulkhead" run $pair --kvm-device /nonexistent/kvm --out "$work/set"
says err "taking qemu, since kvm is not usable here: /nonexistent/kvm does not exist"

expect 1 env BULKHEAD_IMAGES="$work/nowhere" "$bulkhead" run $pair --backend qemu --out "$work/no"
says err "$work/nowhere"
check "no result set without a kernel" [ ! -e "$work/no" ]
finish
