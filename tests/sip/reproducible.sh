#!/bin/sh
# Builds one SIP in two places, from two copies of the sources: the images must be the same bytes.
# Usage: reproducible.sh SOURCE CMAKE GENERATOR CC
set -eu
source=$1 cmake=$2 generator=$3 cc=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for place in first second/further/down; do
    mkdir -p "$work/$place/project/probe"
    for room in sip guest-kernel channel-dev domain-config; do
        cp -r "$source/$room" "$work/$place/project/"
    done
    cp "$source"/tests/sip/probe/* "$work/$place/project/probe/"
    {
        "$cmake" -G "$generator" -DCMAKE_C_COMPILER="$cc" -S "$work/$place/project/probe" \
            -B "$work/$place/build" && "$cmake" --build "$work/$place/build"
    } >"$work/log" 2>&1 || {
        cat "$work/log"
        exit 1
    }
done
for folder in . retpoline cet; do
    for kind in unchecked checked masked; do
        cmp "$work/first/build/images/$folder/probe.$kind.elf" \
            "$work/second/further/down/build/images/$folder/probe.$kind.elf"
        echo "$folder/probe.$kind.elf: the same"
    done
done
