#!/bin/sh
# COMPILER GOLDEN WORK: the compiler writes exactly the golden C, twice the same, and keeps its promises
# about exit status and files.
set -eu
compiler=$1
golden=$2
work=$3
rm -rf "$work"
mkdir -p "$work"

fail() {
    echo "$*"
    exit 1
}
expect() { # STATUS COMMAND...
    expected=$1
    shift
    status=0
    "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" = "$expected" ] || fail "exit status $status, expected $expected: $*" "$(cat "$work/err")"
}

"$compiler" --table "$work/table.c" --headers "$work" "$golden/sample.contract"
diff "$golden/sample_table.c.golden" "$work/table.c"
diff "$golden/sample_contract.h.golden" "$work/sample_contract.h"

# The table does not depend on the order or the folder of the arguments.
printf 'contract a { message m() client -> server; start state s: m -> e; end state e; }\n' \
    >"$work/a.contract"
"$compiler" --table "$work/one.c" "$work/a.contract" "$golden/sample.contract"
(cd "$golden" && "$compiler" --table "$work/two.c" sample.contract "$work/a.contract")
cmp "$work/one.c" "$work/two.c"

expect 0 "$compiler" --check "$golden/sample.contract"
if [ -s "$work/out" ] || [ -s "$work/err" ]; then
    fail "--check of a good contract says something"
fi
expect 2 "$compiler" --check
expect 2 "$compiler" "$golden/sample.contract"
expect 2 "$compiler" --check --headers "$work" "$golden/sample.contract"
expect 1 "$compiler" --check "$work/missing.contract"
grep -q 'missing.contract:1:1: cannot be read: No such file' "$work/err" || fail "no word on the missing file"
expect 1 "$compiler" --check "$golden/sample.contract" "$golden/../golden/sample.contract"
grep -q 'contract "sample" is also in' "$work/err" || fail "two contracts of one name pass"

# A mistake in one leaves the files of all others alone too.
printf 'contract b { }\n' >"$work/b.contract"
expect 1 "$compiler" --table "$work/none.c" --headers "$work/none" "$work/a.contract" "$work/b.contract"
if [ -e "$work/none.c" ] || [ -e "$work/none" ]; then
    fail "wrote in spite of a mistake"
fi
expect 1 "$compiler" --headers "$work/a.contract/x" "$work/a.contract"
echo "golden output as expected"
