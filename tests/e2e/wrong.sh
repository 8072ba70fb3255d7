#!/bin/sh
# Wrong input, from the command line to the guest: a message that helps, the right exit status, and no
# result set that could be taken for a whole one. What needs no real kernel is in tests/vmm/.
. "$(dirname "$0")/../vmm/lib.sh"
export BULKHEAD_IMAGES="$images"
out="$work/set"

# refused STATUS TEXT COMMAND...: the status, the text on stderr, and no result set.
refused() {
    wanted_text=$2
    wanted_status=$1
    shift 2
    expect "$wanted_status" "$@" --backend qemu --out "$out"
    says err "$wanted_text"
    check "no result set is left by: $*" [ ! -e "$out" ]
    check "no folder is printed by: $*" [ ! -s "$work/out" ]
}

# failed TEXT COMMAND...: the run goes to its end, but its record says why it failed.
failed() {
    wanted_text=$1
    shift
    rm -rf "$out"
    expect 4 "$@" --backend qemu --out "$out"
    says err "$wanted_text"
    cp "$out/samples.jsonl" "$work/samples"
    says samples '"status":"failed"'
    says samples "$wanted_text"
    rm -rf "$out"
}

pair="--layout unchecked --workload abi-call"

# ---- --set over an experiment ----

refused 1 "no workload of the experiment has a preset 10x" "$bulkhead" run webfiles --set preset=10x
refused 1 "no workload of the experiment has a parameter byte" "$bulkhead" run micro --set byte=1
refused 1 "leave out what is an axis there" "$bulkhead" run ladder --set bytes=1

# ---- files ----

printf 'layout: torn\nplace: [{match: {role: "*"}, in: kernel}\n' >"$work/torn.yaml"
refused 1 "torn.yaml:3:1: not YAML" "$bulkhead" run --layout "$work/torn.yaml" --workload abi-call
printf 'layout: odd\npagse: 4K\nplace: [{match: {role: "*"}, in: kernel}]\n' >"$work/odd.yaml"
refused 1 "odd.yaml:2:1: " "$bulkhead" run --layout "$work/odd.yaml" --workload abi-call
says err "did you mean 'pages'"
printf 'workload: lost\nsips: {a: {image: abi-cal, role: application}}\n' >"$work/lost.yaml"
refused 1 "lost.yaml:2:19: there is no image 'abi-cal'" \
    "$bulkhead" run --layout sip-page --workload "$work/lost.yaml"
says err "did you mean 'abi-call'?"
expect 1 "$bulkhead" check "$work/lost.yaml"
says err "lost.yaml:2:19: there is no image 'abi-cal'"
# Every file of an experiment is read before anything is complained about.
cat >"$work/both.yaml" <<END
experiment: both
layouts: [sip-paeg, $work/odd.yaml]
workloads: [abi-call, $work/lost.yaml]
samples: 2000
END
refused 1 "did you mean 'sip-page'?" "$bulkhead" run "$work/both.yaml"
says err "odd.yaml:2:1: "
says err "both.yaml:4:10: "
printf 'layout: bare\nplace: [{match: {role: "*"}, in: own, ring: 3, space: kernel}]\n' \
    >"$work/bare.yaml"
refused 1 "bare.yaml:2:" "$bulkhead" run --layout "$work/bare.yaml" --workload abi-call

# ---- memory ----

# shellcheck disable=SC2086
refused 1 "expected an even number of MiB from 32M" "$bulkhead" run $pair --memory 16M
cat >"$work/deep.yaml" <<'END'
workload: deep
sips: {a: {image: abi-call, role: application}, b: {image: abi-call, role: service}}
channels: {c: {from: a, to: b, depth: 64, bytes: 128K}}
END
refused 1 "does not fit" "$bulkhead" run --layout hip-r3-s --workload "$work/deep.yaml" --memory 32M
says err "--memory"

# ---- the host ----

# shellcheck disable=SC2086
expect 3 env PATH="$work/nothing" "$bulkhead" run $pair --kvm-device /nonexistent/kvm --out "$out"
says err "apt-get install qemu-system-x86"
says err "/nonexistent/kvm does not exist"
check "no result set is left where nothing can run it" [ ! -e "$out" ]
touch "$work/file"
# shellcheck disable=SC2086
expect 1 "$bulkhead" run $pair --backend qemu --out "$work/file/set"
says err "$work/file/set"

# ---- images and plans that are damaged on their way ----

mkdir -p "$work/images"
cp "$images"/*.elf "$work/images/"
export BULKHEAD_IMAGES="$work/images"
echo 'not an image' >"$work/images/abi-call.unchecked.elf"
# shellcheck disable=SC2086
refused 1 "abi-call.unchecked.elf is too short" "$bulkhead" run $pair
cp "$images/abi-call.checked.elf" "$work/images/abi-call.unchecked.elf"
# shellcheck disable=SC2086
refused 1 "is named as unchecked but was built checked" "$bulkhead" run $pair
cp "$images/abi-call.unchecked.elf" "$work/images/"
head -c 2000 "$images/kernel.elf" >"$work/images/kernel.elf"
# shellcheck disable=SC2086
failed "QEMU failed" "$bulkhead" run $pair
export BULKHEAD_IMAGES="$images"

# A QEMU that hands the guest another plan than it was given, as spoil.py makes it.
mkdir -p "$work/bin"
cat >"$work/bin/qemu-system-x86_64" <<END
#!/bin/sh
exec python3 -B "$(dirname "$0")/spoil.py" "$(command -v qemu-system-x86_64)" "\$@"
END
chmod +x "$work/bin/qemu-system-x86_64"
spoilt() { # HOW TEXT
    export SPOIL="$1"
    # shellcheck disable=SC2086
    failed "$2" env PATH="$work/bin:$PATH" "$bulkhead" run $pair
}
export SPOIL=nothing
# shellcheck disable=SC2086
expect 0 env PATH="$work/bin:$PATH" "$bulkhead" run $pair --backend qemu --out "$out"
spoilt byte "plan refused: the plan is damaged"
spoilt end "plan refused: the plan is cut short"
spoilt version "plan refused: the plan is of a newer version"
spoilt magic "plan refused: this is not a plan"

# ---- Ctrl-C ----

# One for all processes of the terminal's group, with several guests up at a time.
# shellcheck disable=SC2016
setsid sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$work/leader" \
    "$bulkhead" run ladder --backend qemu --jobs 3 --out "$out" >"$work/out" 2>"$work/err" &
waiter=$!
tries=0
until [ -e "$out/samples.jsonl" ] && [ "$(wc -l <"$out/samples.jsonl")" -ge 4 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || break
    sleep 0.1
done
kill -s INT -- "-$(cat "$work/leader")"
wait "$waiter"
check "status 130 after Ctrl-C" [ "$?" -eq 130 ]
says err "interrupted"
sleep 0.2
# shellcheck disable=SC2016
check "no process is left after Ctrl-C" \
    sh -c '! ps -e -o sid= | grep -qw "$1"' sh "$(cat "$work/leader")"
expect 0 "$bulkhead" report "$out"
check "a report of what was interrupted says so" grep -q 'half-written set' "$work/out"
expect 1 "$bulkhead" run ladder --backend qemu --out "$out"
says err "--resume"
finish
