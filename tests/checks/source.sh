#!/bin/sh
# SOURCE: debian-source.sh without a network, an archive or a right to write: what it says and leaves.
set -u
script=$1/scripts/debian-source.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export BULKHEAD_SOURCES="$folder/sources"
wrong=0

# expect STATUS TEXT ARGUMENT...: the exit status, and a part of what is printed
expect() {
    status=$1 text=$2
    shift 2
    printed=$("$script" "$@" 2>&1)
    got=$?
    case $got:$printed in
    "$status":*"$text"*) ;;
    *)
        echo "FAIL: debian-source.sh $*: status $got, not $status with '$text': $printed"
        wrong=$((wrong + 1))
        ;;
    esac
}

expect 0 'debian-source.sh NAME' --help
expect 2 'debian-source.sh NAME'
expect 2 'no name of a package' ../zlib
expect 2 'no name of a package' 'a b'
expect 1 '' --have zlib

mkdir "$folder/bin" # an apt that knows a mirror and cannot reach it, or knows none
cat >"$folder/bin/apt-get" <<'APT'
#!/bin/sh
if [ "$1" = indextargets ]; then
    [ -z "$MIRROR" ] || echo "http://mirror.invalid/debian bookworm"
    exit 0
fi
echo "E: Temporary failure resolving 'mirror.invalid'" >&2
exit 100
APT
chmod +x "$folder/bin/apt-get"
export MIRROR=
PATH=$folder/bin:$PATH expect 3 'apt knows no mirror of Debian' zlib
MIRROR=1
PATH=$folder/bin:$PATH expect 3 "cannot read Debian's lists" zlib
expect 1 '' --have zlib
for left in "$BULKHEAD_SOURCES"/.[!.]*; do
    [ ! -e "$left" ] || { echo "FAIL: $left was left behind" && wrong=$((wrong + 1)); }
done

mkdir "$BULKHEAD_SOURCES/zlib" # was fetched before: nothing else is needed
PATH=$folder/bin:$PATH expect 0 "$BULKHEAD_SOURCES/zlib" zlib
PATH=$folder/bin:$PATH expect 0 "$BULKHEAD_SOURCES/zlib" --have zlib
expect 0 '' --remove
[ ! -e "$BULKHEAD_SOURCES" ] || { echo 'FAIL: --remove left something' && wrong=$((wrong + 1)); }

: >"$folder/file"
BULKHEAD_SOURCES=$folder/file/sources expect 3 'set BULKHEAD_SOURCES' zlib
exit $((wrong > 0))
