#!/bin/sh
# Source packages of Debian, for what the project builds unchanged: zlib, for instance. Prints the folder
# that holds the unpacked source, and fetches it first if it is not there.
#
#     scripts/debian-source.sh NAME         fetch unless it is there; print its folder
#     scripts/debian-source.sh --have NAME  never fetch: exit status 1 if it is not there
#     scripts/debian-source.sh --remove     forget all that was fetched
#
# In CMake, after include(${CMAKE_SOURCE_DIR}/scripts/DebianSource.cmake):
#
#     debian_source(zlib folder)            ${folder}/deflate.c and so on are there now
#
# and a line `src:zlib  what for` in scripts/packages.txt has setup.sh fetch it ahead of the build, which
# then works offline. Sources are kept in ${BULKHEAD_SOURCES:-~/.cache/bulkhead/sources}, a folder for
# each, shared by all builds. Nothing below /etc changes and nothing needs root: apt runs with lists of
# its own in that folder, for the mirrors that the machine already uses, and checks Debian's signature.
set -eu

usage() {
    sed -n 's/^# \{0,1\}//; 2,8p' "$0"
}

fail() {
    echo "debian-source: $*" >&2
    exit 3
}

fetch=1
case ${1-} in
--help | -h)
    usage
    exit 0
    ;;
--remove) ;;
--have)
    fetch=
    shift
    ;;
esac
if [ $# != 1 ]; then
    usage >&2
    exit 2
fi
name=$1

cache=${BULKHEAD_SOURCES:-${XDG_CACHE_HOME:-${HOME:?is not set; set BULKHEAD_SOURCES instead}/.cache}/bulkhead/sources}
if [ "$name" = --remove ]; then
    rm -rf -- "$cache"
    exit 0
fi
case $name in
'' | *[!a-z0-9.+-]* | [!a-z0-9]*)
    echo "debian-source: '$name' is no name of a package" >&2
    exit 2
    ;;
esac
if [ -d "$cache/$name" ]; then
    echo "$cache/$name"
    exit 0
fi
[ -n "$fetch" ] || exit 1

for tool in apt-get dpkg-source; do
    command -v $tool >/dev/null ||
        fail "the source of $name has to be fetched, and that needs $tool; scripts/setup.sh installs it," \
            "or put the source of Debian's package $name into $cache/$name"
done
mkdir -p "$cache" || fail "cannot write to $cache; set BULKHEAD_SOURCES to another folder"
work=$(mktemp -d "$cache/.fetching.XXXXXX") || fail "cannot write to $cache"
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT TERM

# The release and the mirrors of this machine, with their sources. The release itself comes first: the lists of security name sources that only the release still has.
VERSION_CODENAME=bookworm
# shellcheck source=/dev/null
[ ! -r /etc/os-release ] || . /etc/os-release
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keys ] || fail "$keys is missing, without which nothing can be verified; it is in the package debian-archive-keyring"
# shellcheck disable=SC2016 # apt puts in the values
targets=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null | sort -u -k 2) || targets=
mkdir -p "$work/lists/partial" "$work/archives/partial"
echo "$targets" | while read -r uri suite; do
    case $suite in
    "$VERSION_CODENAME" | "$VERSION_CODENAME-security")
        echo "deb-src [signed-by=$keys] $uri $suite main"
        ;;
    esac
done >"$work/sources.list"
[ -s "$work/sources.list" ] ||
    fail "apt knows no mirror of Debian $VERSION_CODENAME here; name one in /etc/apt and run apt-get update"

apt() {
    apt-get -q -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o Dir::Cache::Archives=archives \
        -o APT::Get::List-Cleanup=false -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 \
        -o Acquire::Languages=none -o APT::Update::Error-Mode=any -o APT::Get::AllowUnauthenticated=false \
        "$@" >&2 </dev/null
}
echo "debian-source: fetching the source of $name" >&2
apt update || fail "cannot read Debian's lists of source packages; is the network there? (mirrors: $(sed 's/.*] //; s/ .*//' "$work/sources.list" | xargs))"
cd "$work"
apt --download-only --only-source source "$name" || fail "cannot fetch the source package $name"
dpkg-source --no-copy --no-check --extract ./*.dsc unpacked >&2 || fail "cannot unpack the source of $name"
# Another run may have been faster; both have the same.
mv -T unpacked "$cache/$name" 2>/dev/null || [ -d "$cache/$name" ] || fail "cannot write $cache/$name"
echo "$cache/$name"
