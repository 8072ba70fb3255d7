#!/bin/sh
# SOURCE: every C file looks as .clang-format says.
set -eu
command -v clang-format >/dev/null || {
    echo 'skipped: clang-format is not installed'
    exit 77
}
cd "$1"
find . \( -path ./build -o -path ./.git \) -prune -o -name '*.[ch]' -print0 |
    xargs -0 clang-format --dry-run --Werror
