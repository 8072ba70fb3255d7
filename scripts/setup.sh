#!/bin/sh
# Installs what scripts/packages.txt lists on Debian 12, unattended, and has debian-source.sh fetch the
# source packages in it. Does nothing, quickly, when all of it is there. Builds nothing.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
list=$here/packages.txt

usage() {
    cat <<'USAGE'
usage: scripts/setup.sh [--check]

Installs the packages that Bulkhead needs. Needs root, or sudo without a password.
  --check   only print what is missing, a package a line; exit status 1 if anything is
USAGE
}

check_only=
case ${1-} in
'') ;;
--check) check_only=1 ;;
--help | -h)
    usage
    exit 0
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is not Debian; install the counterparts of what $list names" >&2
    exit 3
fi

installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' | sed -n 's/^.i *//p')
sources=
set --
while read -r package _; do
    case $package in
    '' | '#'*) ;;
    src:*) "$here/debian-source.sh" --have "${package#src:}" >/dev/null || sources="$sources $package" ;;
    *) echo "$installed" | grep -qxF "$package" || set -- "$@" "$package" ;;
    esac
done <"$list"

if [ -n "$check_only" ]; then
    [ -n "$*$sources" ] || exit 0
    # shellcheck disable=SC2086 # a word each
    printf '%s\n' "$@" $sources
    exit 1
fi

fetch_sources() {
    for package in $sources; do
        "$here/debian-source.sh" "${package#src:}" >/dev/null
    done
}
if [ $# = 0 ]; then
    fetch_sources
    exit 0
fi

ID='' VERSION_ID=''
# shellcheck source=/dev/null
[ ! -r /etc/os-release ] || . /etc/os-release
if [ "$ID" != debian ] || [ "$VERSION_ID" != 12 ]; then
    echo "setup: this script knows Debian 12 only, and this is ${PRETTY_NAME:-something else}." >&2
    echo "setup: install the counterparts of: $*" >&2
    exit 3
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: run this as root, or install sudo; missing: $*" >&2
        exit 3
    fi
    as_root='sudo -n'
fi

echo "setup: installing $*" >&2
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" >&2 \
        </dev/null
}
apt update
apt install --no-install-recommends "$@"
fetch_sources
