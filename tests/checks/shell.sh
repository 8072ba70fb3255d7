#!/bin/sh
# SOURCE: every shell script parses, and shellcheck has nothing to say. A file without a #! line is
# read with the scripts that include it.
set -eu
command -v shellcheck >/dev/null || {
    echo 'skipped: shellcheck is not installed'
    exit 77
}
cd "$1"
grep -rlZE '^#!/bin/(ba)?sh' --include='*.sh' --include=run --exclude-dir=build --exclude-dir=.git . |
    xargs -0 shellcheck -x -S warning -P SCRIPTDIR
