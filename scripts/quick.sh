#!/bin/sh
# Sets up, builds what the quick ladder needs, runs it and prints its table. Everything goes below build/.
# Arguments are handed to `bulkhead run`, for instance --backend qemu.
set -eu
cd "$(dirname -- "$0")/.."

scripts/setup.sh
{
    cmake --preset release
    cmake --build --preset release --target quick
} >&2
rm -rf build/quick
build/release/bulkhead run quick --out build/quick "$@"
build/release/bulkhead report build/quick
