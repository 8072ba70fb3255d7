#!/bin/sh
# Sets up, builds with both compilers and the sanitizers, and runs every test. The last lines are the
# summary of the release build's tests, and nothing comes after a step that failed.
set -eu
cd "$(dirname -- "$0")/.."

usage() {
    cat <<'USAGE'
usage: scripts/test.sh [--full]

Runs every test of Bulkhead. Needs no more than scripts/setup.sh installs.
  --full   also runs everything in the asan and clang builds, what has threads in the tsan build,
           and fuzzes five minutes a target
USAGE
}

presets='release asan clang fuzz'
full=
long='checks|e2e|guest' # what the asan build leaves out
case ${1-} in
'') ;;
--full)
    presets="$presets tsan"
    full=1
    long=checks
    ;;
--help | -h)
    usage
    exit 0
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

started=$(date +%s)
step() { echo "== $(($(date +%s) - started)) s: $*"; }

# Runs a command whose output matters only when it fails.
quiet() { # LOG COMMAND...
    log=$1
    shift
    "$@" >"$log" 2>&1 || {
        cat "$log"
        echo "test: failed: $*" >&2
        exit 1
    }
}

tests() { # PRESET CTEST-OPTION...
    preset=$1
    shift
    step "tests: $preset $*"
    ctest --preset "$preset" -j "$(nproc)" --no-tests=error "$@"
}

fuzz() { # TARGET
    name=$(basename "$1")
    mkdir -p "build/fuzz/corpus/$name"
    quiet "build/fuzz/$name.log" "$1" -max_total_time=300 -timeout=10 \
        -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name"
    echo "$name: $(tail -n 1 "build/fuzz/$name.log")"
}

step 'set-up'
scripts/setup.sh
mkdir -p build
for preset in $presets; do
    step "build: $preset"
    quiet "build/$preset.configure.log" cmake --preset "$preset"
    quiet "build/$preset.build.log" cmake --build --preset "$preset"
done

tests asan -LE "$long"
tests fuzz -R '^fuzz-'
if [ -n "$full" ]; then
    tests clang -LE nested
    # Criterion cannot live with ThreadSanitizer, so what has threads is run by itself.
    tests tsan -R '^ring-smp$'
    step 'run: tsan'
    rm -rf build/tsan/quick
    quiet build/tsan.run.log build/tsan/bulkhead run quick --backend qemu --jobs 4 \
        --out build/tsan/quick
    step 'fuzzing on'
    find build/fuzz/tests -type f -perm -u+x -name 'fuzz-*' | sort | while read -r target; do
        fuzz "$target"
    done
else
    tests clang -R check-tidy
fi
tests release
