#!/bin/sh
# SOURCE BUILD: the command reads every file that the project ships, resolves a pair, and says no to
# a broken one, without a wrong access or a leak.
set -eu
command -v valgrind >/dev/null || {
    echo 'skipped: valgrind is not installed'
    exit 77
}
bulkhead=$2/bulkhead
data=$1/domain-config

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

under_valgrind() { # STATUS ARGUMENT...
    expected=$1
    shift
    status=0
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,possible \
        "$bulkhead" "$@" >"$work/output" 2>&1 || status=$?
    [ "$status" = "$expected" ] || {
        echo "bulkhead $*: exit status $status, expected $expected"
        cat "$work/output"
        exit 1
    }
}

printf 'layout: broken\nabuot: a word misspelt\n' >"$work/broken.yaml"

under_valgrind 0 check "$data"/*/*.yaml
under_valgrind 0 explain hip-r3-s ping-pong
under_valgrind 0 explain hip-r3-s ping-pong --dot
under_valgrind 0 list layouts
under_valgrind 1 check "$work/broken.yaml"
under_valgrind 2 run --no-such-option
