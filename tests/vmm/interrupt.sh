#!/bin/sh
# Ending a run early, gently and not: no process is left, and the set says that it is incomplete.
. "$(dirname "$0")/lib.sh"
use_fixture

# children PID: the processes that any thread of it started.
children() {
    cat /proc/"$1"/task/*/children 2>/dev/null
}

# wait_for COMMAND...: until it succeeds, at most 20 s.
wait_for() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || return 1
        sleep 0.1
    done
}

has_child() { [ -n "$(children "$1")" ]; }
is_gone() { ! [ -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }

# start_hanging BACKEND DIR: a guest that hangs: --seed 102 is FIXTURE_HANG.
start_hanging() {
    backend=$1
    shift
    "$bulkhead" run --layout sip-page --workload abi-call --backend "$backend" --seed 102 \
        --timeout 100 --out "$1" >"$work/out" 2>"$work/err" &
    pid=$!
    wait_for [ -e "$1/manifest.json" ]
    check "the guest starts" wait_for has_child "$pid"
    child=$(children "$pid" | tr -d ' ')
}

for signal in INT TERM; do
    start_hanging qemu "$work/$signal"
    kill -s $signal "$pid"
    wait "$pid"
    status=$?
    [ $signal = INT ] && wanted=130 || wanted=143
    check "status $wanted after SIG$signal, not $status" [ "$status" -eq "$wanted" ]
    check "QEMU is gone after SIG$signal" is_gone "$child"
    check "the set is incomplete" grep -q '"complete": false' "$work/$signal/manifest.json"
    says err "interrupted"
    says err "--resume"
done

for backend in qemu bochs; do
    start_hanging $backend "$work/KILL-$backend"
    kill -s KILL "$pid"
    wait "$pid" 2>/dev/null
    check "$backend does not outlive a killed run" wait_for is_gone "$child"
    check "the set is incomplete" grep -q '"complete": false' "$work/KILL-$backend/manifest.json"
done

# Ctrl-C reaches the whole group; Bochs's debugger would take it for a command.
start_hanging bochs "$work/group"
kill -s INT "$child" "$pid"
wait "$pid"
check "status 130 when the group is interrupted" [ "$?" -eq 130 ]
check "Bochs is gone after SIGINT" is_gone "$child"
check "there is no record of it" [ ! -s "$work/group/samples.jsonl" ]

# With the real kernel: what an interruption left and a resumed run adds is what one run gives.
export BULKHEAD_IMAGES="$images"
cat >"$work/six.yaml" <<'END'
experiment: six
layouts: [sip-phys, sip-page, hip-r0, hip-r0-s, hip-r3, hip-r3-s]
workloads: [abi-call, yield]
END
expect 0 "$bulkhead" run "$work/six.yaml" --backend qemu --out "$work/whole"
"$bulkhead" run "$work/six.yaml" --backend qemu --jobs 1 --out "$work/parts" >"$work/out" 2>"$work/err" &
pid=$!
some_records() {
    [ -e "$work/parts/samples.jsonl" ] && [ "$(wc -l <"$work/parts/samples.jsonl")" -ge 3 ]
}
check "records appear as the run goes" wait_for some_records
kill -s INT "$pid"
wait "$pid"
check "status 130 when interrupted" [ "$?" -eq 130 ]
check "it was cut short" [ "$(wc -l <"$work/parts/samples.jsonl")" -lt \
    "$(wc -l <"$work/whole/samples.jsonl")" ]
expect 0 "$bulkhead" run "$work/six.yaml" --backend qemu --out "$work/parts" --resume
says err "already in"
check "a resumed set equals an uninterrupted one" \
    cmp "$work/whole/samples.jsonl" "$work/parts/samples.jsonl"
check "the resumed set is whole" grep -q '"complete": true' "$work/parts/manifest.json"
finish
