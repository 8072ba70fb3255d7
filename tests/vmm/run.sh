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

# run STATUS SEED OPTION...: the fixture's mode is the seed (see fixture.h).
run() {
    rm -rf "$work/set"
    status=$1 seed=$2
    shift 2
    expect "$status" "$bulkhead" run "$work/two.yaml" --backend qemu --seed "$seed" --timeout 2 \
        --out "$work/set" "$@"
    says out "$work/set"
    cp "$work/set/samples.jsonl" "$work/samples" 2>/dev/null || : >"$work/samples"
    check "two records of seed $seed" [ "$(wc -l <"$work/samples")" -eq 2 ]
    check "a whole set of seed $seed" grep -q '"complete": true' "$work/set/manifest.json"
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

# What a CPU lacks: unavailable, or left out where that was asked for, and then marked everywhere.
run 0 113
says samples '"status":"unavailable","reason":"needs PCID, PKU"'
check "the manifest says that nothing was to be simulated" \
    grep -q '"simulate": false' "$work/set/manifest.json"
expect 0 "$bulkhead" report "$work/set"
says out "unavailable: needs PCID, PKU"
run 0 113 --simulate
says samples '"status":"simulated","reason":"pcid (needs PCID), pku (needs PKU)"'
says err "0 boots ok, 2 simulated, 0 unavailable, 0 failed"
check "the manifest says that it was to be simulated" \
    grep -q '"simulate": true' "$work/set/manifest.json"
expect 0 "$bulkhead" report "$work/set"
says out "sim. [1]"
says out "[1] simulated: pcid (needs PCID), pku (needs PKU)"
expect 1 "$bulkhead" run "$work/two.yaml" --backend qemu --seed 113 --out "$work/set" --resume
says err "its simulate is true"
run 4 114
says samples 'the guest simulated what it was not told to: pcid (needs PCID), pku (needs PKU)'
run 4 115 --simulate
says samples 'garbage result: mechanisms 0x'
run 0 100 --simulate
says samples '"status":"ok"'
check "a CPU that has everything simulates nothing" \
    [ "$(grep -c simulated "$work/samples")" -eq 0 ]

# Images that a mechanism needs built for it: each cell boots the kernel of its layout's images.
cat >"$work/branches.yaml" <<'END'
layout: branches
extends: sip-page
retpoline: on
END
cat >"$work/variants.yaml" <<END
experiment: variants
layouts: [sip-page, $work/branches.yaml]
workloads: [abi-call]
END
mkdir -p "$work/images/retpoline"
for image in "$images"/abi-call.*.elf; do
    ln -sf "$image" "$work/images/retpoline/"
done
expect 1 "$bulkhead" run "$work/variants.yaml" --backend qemu --seed 100 --out "$work/variants"
says err "there is no guest kernel $work/images/retpoline/kernel.elf"
check "no result set without a kernel" [ ! -e "$work/variants" ]
cp "$fixture/kernel.elf" "$work/images/retpoline/kernel.elf"
printf 'another' >>"$work/images/retpoline/kernel.elf"
expect 0 "$bulkhead" run "$work/variants.yaml" --backend qemu --seed 100 --out "$work/variants"
check "the manifest has the hash of each kernel and of each image of a variant" python3 -c '
import hashlib, json, sys
images = json.load(open(sys.argv[1] + "/variants/manifest.json"))["images"]
assert set(images) == {"kernel.elf", "retpoline/kernel.elf", "abi-call.checked.elf",
                       "retpoline/abi-call.checked.elf"}, list(images)
for name, digest in images.items():
    with open(sys.argv[1] + "/images/" + name, "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == digest, name
' "$work"

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
