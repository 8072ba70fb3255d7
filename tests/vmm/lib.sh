# What the shell tests of the command share. Arguments: the command, the folder of the built images,
# the folder of the fixture guest.
# shellcheck shell=sh disable=SC2034
bulkhead=$1
images=$2 fixture=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS COMMAND...: runs it; what it prints is in $work/out and $work/err.
expect() {
    wanted=$1
    shift
    "$@" >"$work/out" 2>"$work/err"
    got=$?
    if [ "$got" -ne "$wanted" ]; then
        echo "FAIL: status $got instead of $wanted: $*"
        sed 's/^/    /' "$work/err"
        failures=$((failures + 1))
    fi
}

# says FILE TEXT: the file, of $work, holds the text.
says() {
    if ! grep -qF -- "$2" "$work/$1"; then
        echo "FAIL: $1 does not say: $2"
        sed 's/^/    /' "$work/$1"
        failures=$((failures + 1))
    fi
}

# check WHAT COMMAND...: the command succeeds.
check() {
    what=$1
    shift
    if ! "$@"; then
        echo "FAIL: $what"
        failures=$((failures + 1))
    fi
}

# The SIP images as built, with the fixture as the kernel.
use_fixture() {
    mkdir -p "$work/images"
    for image in "$images"/*.elf; do
        ln -sf "$image" "$work/images/"
    done
    ln -sf "$fixture/kernel.elf" "$work/images/kernel.elf"
    export BULKHEAD_IMAGES="$work/images"
}

finish() {
    [ "$failures" -eq 0 ] || exit 1
    exit 0
}
