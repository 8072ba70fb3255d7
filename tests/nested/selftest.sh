#!/bin/sh
# SOURCE BUILD: the guest's self-tests, and a cell of each kind of boundary, under our VMM on the
# kvm_amd of a mainline kernel; and the same under QEMU, which must count the same events and come to
# the same answers.
set -eu
source=$1
build=$2
here=$source/tests/nested
work=$build/nested-selftest

rm -rf "$work"
mkdir -p "$work"

run() { # BACKEND COMMAND... : its standard output goes to $work/BACKEND.tap
    backend=$1
    shift
    status=0
    "$@" >"$work/$backend.tap" 2>"$work/$backend.log" || status=$?
    [ "$status" = 0 ] || {
        cat "$work/$backend.log" "$work/$backend.tap"
        [ "$status" != 77 ] || exit 77
        echo "the run on $backend ended with status $status"
        exit 1
    }
}

run qemu "$build/bulkhead" run "$here/cells.yaml" --backend qemu --self-test --out "$work/qemu"
run kvm "$source/scripts/nested-kvm.sh" --build "$build" --cache "$source/build/nested" \
    --add "$here/cells.yaml" --out "$work/kvm" -- \
    run /cells.yaml --backend kvm --self-test --out /results

status=0
for backend in qemu kvm; do
    if ! grep -q '^ok ' "$work/$backend.tap" || grep '^not ok\|^Bail out' "$work/$backend.tap"; then
        echo "self-tests on $backend: none ran, or the ones above failed"
        status=1
    fi
done
passed() { sed -n 's/^\(ok [0-9]*[^#]*[^# ]\).*/\1/p' "$work/$1.tap" | sort | uniq -c; }
passed qemu >"$work/qemu.passed"
passed kvm >"$work/kvm.passed"
diff "$work/qemu.passed" "$work/kvm.passed" || {
    echo 'the self-tests that passed are not the same'
    status=1
}

python3 "$here/compare.py" "$work/kvm" "$work/qemu" || status=1
# The clock of that kvm is an emulated machine's: every record must say so.
if grep -v '"trust": *"nested"' "$work/kvm/samples.jsonl"; then
    echo 'these records are not marked as nested'
    status=1
fi
exit $status
