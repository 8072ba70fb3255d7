#!/bin/sh
# SOURCE BUILD: the drivers of devices under our own VMM, on the kvm_amd of a mainline kernel; and the same
# under QEMU, which must come to the same answers by the same events. What waits for the disk is measured on
# kvm alone.
set -eu
source=$1
build=$2
here=$source/tests/virtio
work=$build/nested-virtio

rm -rf "$work"
mkdir -p "$work"
"$build/bulkhead" run "$here/nested.yaml" --backend qemu --out "$work/qemu"
status=0
"$source/scripts/nested-kvm.sh" --build "$build" --cache "$source/build/nested" \
    --add "$here/nested.yaml" --out "$work/kvm" -- \
    run /nested.yaml --backend kvm --out /results || status=$?
[ "$status" = 0 ] || exit "$status"
grep -q '"disk-read-elapsed"' "$work/kvm/samples.jsonl" || {
    echo 'nothing tells how long the disk takes'
    exit 1
}
grep -v -- '-elapsed"' "$work/kvm/samples.jsonl" >"$work/samples.jsonl"
mv "$work/samples.jsonl" "$work/kvm/samples.jsonl"
python3 "$source/tests/nested/compare.py" "$work/kvm" "$work/qemu"
