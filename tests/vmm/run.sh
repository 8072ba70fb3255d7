#!/bin/sh
# Guests that end in every way: what the records say, and the exit status.
. "$(dirname "$0")/lib.sh"
use_fixture

cat >"$work/two.yaml" <<'END'
experiment: two
about: Two layouts, so that one failure is not the end of a batch.
layouts: [sip-page, hip-r0]
workloads: [abi-call]
END

# run STATUS SEED: the fixture's mode is the seed (see fixture.h).
run() {
    rm -rf "$work/set"
    expect "$1" "$bulkhead" run "$work/two.yaml" --backend qemu --seed "$2" --timeout 2 \
        --out "$work/set"
    says out "$work/set"
    cp "$work/set/samples.jsonl" "$work/samples" 2>"$work/err" || : >"$work/samples"
    check "two records of seed $2" [ "$(wc -l <"$work/samples")" -eq 2 ]
    check "a whole set of seed $2" grep -q '"complete": true' "$work/set/manifest.json"
}

run 0 100
says samples '"samples":[100,100,100,100,100]'
says samples '"ring_crossings":2'
says samples '"overhead":2'
says samples '"kind":"round-trip"'
run 4 101
says samples 'the fixture was told to fail; SIP client: page fault at 0xdead'
run 4 102
says samples 'timeout after 2 s'
run 4 103
says samples 'triple fault'
run 4 104
says samples 'garbage result'
run 0 105
says samples '"status":"unavailable","reason":"the CPU has no PCID"'
run 4 106
says samples 'the guest wrote no result'
run 4 107
says samples 'while the guest was running its SIPs'
run 4 108
says samples 'unstable overhead'

# A workload with an oracle: every operation answers, and alike in every layout.
cat >"$work/sum.yaml" <<'END'
workload: sum
sips: {client: {image: abi-call, role: application}}
oracle: checksum
END
run 0 111
sed -i "s,abi-call,$work/sum.yaml," "$work/two.yaml"
run 0 100
run 4 112
says samples 'no answer: workload sum says oracle: checksum, but fixture reported none'
run 4 111
says samples 'wrong answer'
says samples '"status":"ok"'
# What an earlier part of the run answered counts as well.
head -n 1 "$work/samples" >"$work/set/samples.jsonl"
expect 4 "$bulkhead" run "$work/two.yaml" --backend qemu --seed 111 --out "$work/set" --resume
says err "already in"
says err "wrong answer"

# The files that a run was read from are in its manifest.
check "the texts of the files are in the manifest" python3 -c '
import json, sys
manifest = json.load(open(sys.argv[1] + "/set/manifest.json"))
files = manifest["files"]
own = [sys.argv[1] + "/" + name for name in ("two.yaml", "sum.yaml")]
assert set(files) == {"layouts/sip-page.yaml", "layouts/hip-r0.yaml", *own}, list(files)
assert files[own[1]] == open(own[1]).read()
assert set(manifest["resolved"]) == {"sip-page sum", "hip-r0 sum"}
' "$work"

# A folder that holds a set is not written over.
expect 1 "$bulkhead" run "$work/two.yaml" --backend qemu --seed 100 --out "$work/set"
says err "--resume"
check "no folder is printed for a run that did not start" [ ! -s "$work/out" ]
check "the set is still whole" grep -q '"complete": true' "$work/set/manifest.json"

# Resuming a set of another seed would mix figures.
expect 1 "$bulkhead" run "$work/two.yaml" --backend qemu --seed 100 --out "$work/set" --resume
says err "seed"

# The ioctl path, wherever there is a KVM that boots at all.
expect 0 "$bulkhead" doctor --format json
if grep -q '"ring0_loop"' "$work/out" && [ -w /dev/kvm ]; then
    expect 0 "$bulkhead" run "$work/two.yaml" --backend kvm --allow-untrusted --seed 100 \
        --repeats 2 --out "$work/kvm"
    cp "$work/kvm/samples.jsonl" "$work/samples"
    check "each cell boots twice on kvm" [ "$(wc -l <"$work/samples")" -eq 4 ]
    says samples '"unit":"cycles"'
    says samples '"boot":1'
fi
finish
