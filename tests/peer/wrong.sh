#!/bin/sh
# The Linux peer and the report of several sets: wrong input, and what this host cannot.
. "$(dirname "$0")/../vmm/lib.sh"

expect 2 "$bulkhead" peer --out "$work/a"
says err "which peer? There is linux"
expect 2 "$bulkhead" peer freebsd --out "$work/a"
says err "there is no peer freebsd"
expect 2 "$bulkhead" peer linux
says err "--out DIR"
expect 2 "$bulkhead" peer linux --native --guest --out "$work/a"
says err "a result set has one clock"
expect 2 "$bulkhead" peer linux --mitigations maybe --out "$work/a"
says err "off or auto"
expect 1 "$bulkhead" peer linux --samples 0 --out "$work/a"
says err "--samples is 0, expected 1 to 1024"
expect 1 env BULKHEAD_IMAGES="$work" "$bulkhead" peer linux --native --out "$work/a"
says err "there is no program $work/linux-peer"

expect 3 "$bulkhead" peer linux --cache "$work/empty" --out "$work/a"
says err "scripts/nested-kvm.sh --fetch downloads Debian's linux-image-cloud-amd64"
expect 3 "$bulkhead" peer linux --kernel "$work/none" --out "$work/a"
says err "there is no kernel $work/none"
check "no set is made without a kernel" [ ! -e "$work/a" ]
printf 'no kernel' >"$work/text"
expect 4 "$bulkhead" peer linux --kernel "$work/text" --timeout 20 --out "$work/b"
says err "bulkhead peer: the peer ended early"

# A program that is another, and one that dies half-way.
mkdir "$work/images"
printf '#!/bin/sh\necho "{\\"cells\\":1}" >"$1"\n' >"$work/images/linux-peer"
chmod +x "$work/images/linux-peer"
expect 4 env BULKHEAD_IMAGES="$work/images" "$bulkhead" peer linux --native --out "$work/c"
says err "another build"
printf '#!/bin/sh\necho gone >&2; exit 9\n' >"$work/images/linux-peer"
expect 4 env BULKHEAD_IMAGES="$work/images" "$bulkhead" peer linux --native --out "$work/d"
says err "the peer ended early: status 9: gone"
check "a half set is not called whole" grep -q '"complete": false' "$work/d/manifest.json"
printf '#!/bin/sh\nexec sleep 100\n' >"$work/images/linux-peer"
expect 4 env BULKHEAD_IMAGES="$work/images" "$bulkhead" peer linux --native --timeout 1 \
    --out "$work/e"
says err "timeout after 1 s"

# On KVM: figures, or unavailable with the reason, in the records too.
"$bulkhead" peer linux --kvm --repeats 1 --out "$work/kvm" >"$work/out" 2>"$work/err" || {
    check "exit status 3 where there is no KVM" [ $? = 3 ]
    says err "linux-kvm is unavailable"
    check "each record tells" [ "$(grep -c '"status":"unavailable"' "$work/kvm/samples.jsonl")" = 26 ]
    expect 0 "$bulkhead" report "$work/kvm"
    says out "unavailable"
}

# Reports of several sets.
expect 0 "$bulkhead" peer linux --native --repeats 1 --samples 2 --batch 2 --out "$work/cycles"
expect 1 "$bulkhead" peer linux --native --out "$work/cycles"
says err "already holds a result set"
expect 0 env BULKHEAD_IMAGES="$images" "$bulkhead" run --layout sip-page --workload abi-call \
    --backend qemu --out "$work/count"
expect 1 "$bulkhead" report "$work/count" "$work/cycles"
says err "no ratio between them means anything"
cp -r "$work/cycles" "$work/again"
expect 1 "$bulkhead" report "$work/cycles" "$work/again"
says err "compare"
expect 1 "$bulkhead" report "$work/cycles" "$work/nowhere"
finish
