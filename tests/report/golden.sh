#!/bin/sh
# BULKHEAD: has that command write data/golden anew, from the sets in data/. Read the difference before
# you keep it: what is golden is only as right as its reader was careful.
set -eu
bulkhead=$(realpath "$1")
cd "$(dirname "$0")/data"
for file in golden/*; do
    name=${file#golden/}
    set=${name%.*}
    format=${name##*.}
    [ "$format" != txt ] || format=text
    if [ "$set" = compare ]; then
        "$bulkhead" compare timed timed-other --format "$format" >"$file"
    else
        "$bulkhead" report "$set" --format "$format" >"$file"
    fi
done
