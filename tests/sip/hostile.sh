#!/bin/sh
# Each hostile module must be refused by wasm-validate or the gate with the message that its first line
# names; and tame ones must pass, such as those whose only fault is floating point where the gate is told
# to allow it. Usage: hostile.sh GATE RULES FOLDER
set -u
gate=$1 rules=$2 folder=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0 failed=0

verdict() {
    number=$((number + 1))
    [ "$1" = ok ] || failed=1
    echo "$1 $number - $2"
}

for source in "$folder"/*.wat; do
    name=$(basename "$source" .wat)
    expected=$(sed -n '1s/^;; expect: //p' "$source")
    flags=$(sed -n '2s/^;; flags: //p' "$source")
    features=$(echo "$flags" | sed 's/--no-check//; s/--debug-names//')
    # The flags are words on purpose.
    # shellcheck disable=SC2086
    if ! wat2wasm $flags "$source" -o "$work/$name.wasm" 2>"$work/message"; then
        verdict "not ok" "$name does not assemble: $(cat "$work/message")"
        continue
    fi
    # shellcheck disable=SC2086
    if wasm-validate $features "$work/$name.wasm" 2>"$work/message" &&
        "$gate" "$rules" "$work/$name.wasm" 2>"$work/message"; then
        verdict "not ok" "$name was let through"
    elif [ -n "$expected" ] && grep -qF -- "$expected" "$work/message"; then
        verdict ok "$name"
    else
        verdict "not ok" "$name: expected '$expected', got '$(cat "$work/message")'"
    fi
done

wat2wasm - -o "$work/tame.wasm" <<'END'
(module
  (import "sip" "yield" (func (result i64)))
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (table 2 2 funcref)
  (elem (i32.const 1) 1)
  (data (i32.const 65531) "bytes"))
END
if "$gate" "$rules" "$work/tame.wasm"; then
    verdict ok "a tame module passes"
else
    verdict "not ok" "a tame module was refused"
fi
for source in "$folder"/float-*.wat; do
    name=$(basename "$source" .wat)
    if "$gate" --float "$rules" "$work/$name.wasm"; then
        verdict ok "$name passes where it may"
    else
        verdict "not ok" "$name was refused although it may use floating point"
    fi
done
echo "1..$number"
exit $failed
