#!/bin/sh
# Runs a `bulkhead` command line on real KVM without hardware for it: Debian's cloud kernel with
# kvm_amd, booted in QEMU's TCG, whose emulated processor has SVM. The guest gets what
# `cmake --install` would install, so this also shows that an installed copy works.
# What runs there and what it finds is up to the command line.
set -eu

usage() {
    cat <<'USAGE'
usage: scripts/nested-kvm.sh [OPTION]... -- BULKHEAD-ARGUMENT...

Boots Debian's kernel with kvm_amd in QEMU and runs `bulkhead ARGUMENT...` in it. The command's
standard output and exit status become this script's; its standard error, and what the kernel has
to say, come on standard error. Files that the command writes below /results come back to --out.

  --build DIR     the build to take the binary and images from   (default: build/release)
  --add FILE      put a copy of FILE into the machine, as /NAME; may be repeated
  --out DIR       where /results goes                            (default: not kept)
  --cpu MODEL     QEMU's processor model; it needs SVM           (default: max,+svm)
  --memory MIB    memory of the outer machine                    (default: 768)
  --timeout S     end the outer machine after so many seconds    (default: 300)
  --cache DIR     where downloads are kept                       (default: build/nested)
  --fetch         only download and unpack

Exit status: the command's; 77 when the kernel cannot be downloaded or QEMU is not there; 2 for a
wrong option; 4 when the outer machine ended without a result.
USAGE
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$root/build/release
cache=$root/build/nested
out=
added=
cpu=max,+svm
memory=768
limit=300
fetch_only=

say() { echo "nested-kvm: $*" >&2; }
fail() { # STATUS TEXT
    status=$1
    shift
    say "$*"
    exit "$status"
}

while [ $# -gt 0 ]; do
    case $1 in
    --add | --build | --out | --cpu | --memory | --timeout | --cache)
        [ $# -ge 2 ] || fail 2 "$1 needs a value; see --help"
        case $1 in
        --add) added="$added$2
" ;;
        --build) build=$2 ;;
        --out) out=$2 ;;
        --cpu) cpu=$2 ;;
        --memory) memory=$2 ;;
        --timeout) limit=$2 ;;
        --cache) cache=$2 ;;
        esac
        shift 2
        ;;
    --fetch)
        fetch_only=1
        shift
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    --)
        shift
        break
        ;;
    *) fail 2 "unknown option '$1'; the command to run comes after --, see --help" ;;
    esac
done
[ -n "$fetch_only" ] || [ $# -gt 0 ] || fail 2 "no command given after --; see --help"

# ---- the outer system: downloaded once, never installed ----

# Prints the package that the metapackage stands for today.
kernel_package() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -n 1
}

download() { # into the current folder
    package=$(kernel_package)
    [ -n "$package" ] || return 1
    set -- "$package" busybox-static
    if [ "$(id -u)" = 0 ]; then
        apt-get -q -o APT::Sandbox::User=root download "$@" >&2
    else
        apt-get -q download "$@" >&2
    fi
}

fetch() {
    [ -e "$cache/complete" ] && return 0
    command -v apt-get >/dev/null || fail 77 "this needs apt-get to download Debian's kernel"
    rm -rf "$cache/new"
    mkdir -p "$cache/new"
    (
        cd "$cache/new"
        # An index that is missing or older than the mirror is the usual reason for a failure.
        download || { [ "$(id -u)" = 0 ] && apt-get -q update >&2 && download; }
    ) || fail 77 "cannot download linux-image-cloud-amd64 and busybox-static: is there a network?"
    for package in "$cache"/new/*.deb; do
        dpkg-deb -x "$package" "$cache/new/root"
        rm -f "$package"
    done
    rm -rf "$cache/root"
    mv "$cache/new/root" "$cache/root"
    rmdir "$cache/new"
    : >"$cache/complete"
}

mkdir -p "$cache"
# Two tests may start at once: the second waits for the first one's download.
exec 9>"$cache/lock"
flock 9
fetch
flock -u 9
[ -z "$fetch_only" ] || exit 0

command -v qemu-system-x86_64 >/dev/null ||
    fail 77 "qemu-system-x86_64 is not installed: run scripts/setup.sh"
[ -x "$build/bulkhead" ] || fail 77 "$build/bulkhead does not exist: build it first"

busybox=$cache/root/bin/busybox
kernel=$(echo "$cache"/root/boot/vmlinuz-*-cloud-amd64)
work=$(mktemp -d "$cache/run.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- the initial file system ----

image=$work/root
mkdir -p "$image/bin" "$image/lib/modules" "$image/dev" "$image/proc" "$image/sys" "$image/tmp" \
    "$image/results"
cp "$busybox" "$image/bin/busybox"
for module in irqbypass ccp kvm kvm-amd; do
    file=$(find "$cache/root/lib/modules" -name "$module.ko*" | head -n 1)
    case $file in
    *.xz) xz -dc "$file" >"$image/lib/modules/$module.ko" ;;
    *.ko) cp "$file" "$image/lib/modules/" ;;
    esac
done
DESTDIR=$image cmake --install "$build" --prefix /usr >/dev/null ||
    fail 4 "cmake --install $build failed"
rm -rf "$image/usr/share/man" "$image/usr/share/doc"
# The shared libraries that the binary names, at the places where its loader looks for them.
ldd "$image/usr/bin/bulkhead" | sed -n 's/^.*[[:space:]]\(\/[^ ]*\) (0x.*$/\1/p' |
    while read -r library; do
        mkdir -p "$image$(dirname "$library")"
        cp -L "$library" "$image$library"
    done

printf %s "$added" | while read -r file; do
    cp "$file" "$image/"
done

# Arguments travel quoted in a file: a kernel command line would split and cut them.
{
    printf 'exec /usr/bin/bulkhead'
    for argument in "$@"; do
        printf " '%s'" "$(printf %s "$argument" | sed "s/'/'\\\\''/g")"
    done
    echo
} >"$image/command"

cat >"$image/init" <<'INIT'
#!/bin/busybox sh
# First process of the outer machine: modules, the command, the results out by the second serial
# port, and a reset, which ends QEMU.
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin HOME=/
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for module in irqbypass ccp kvm kvm-amd; do
    [ ! -e /lib/modules/$module.ko ] || insmod /lib/modules/$module.ko
done
mkdir /return
# Through a pipe, so that the command sees no terminal and prints plain lines.
{
    sh /command >/return/stdout </dev/null
    echo $? >/return/status
} 2>&1 | cat
mv /results /return/results
stty -F /dev/ttyS1 raw
tar -cz -C /return . >/dev/ttyS1
stty -F /dev/ttyS1 sane # waits until all has been sent
reboot -f
INIT
chmod +x "$image/init"
(cd "$image" && find . | "$busybox" cpio -o -H newc 2>/dev/null) >"$work/initrd"

# ---- run ----

# The instruction counter as clock makes a run repeatable, down to the inner guest's own clock.
result=0
timeout "$limit" qemu-system-x86_64 -accel tcg -cpu "$cpu" -m "$memory" -M pc \
    -bios /usr/share/qemu/qboot.rom -nodefaults -no-user-config -display none -vga none -net none \
    -no-reboot -icount shift=0,sleep=off -rtc base=2024-01-01T00:00:00,clock=vm -seed 1 \
    -chardev stdio,id=console,signal=off -serial chardev:console \
    -chardev file,id=return,path="$work/return.tgz" -serial chardev:return \
    -kernel "$kernel" -initrd "$work/initrd" \
    -append "console=ttyS0 quiet panic=-1 tsc=unstable mitigations=off" </dev/null >&2 || result=$?

[ "$result" != 124 ] || fail 4 "the outer machine was still running after $limit s"
[ "$result" = 0 ] || fail 4 "QEMU ended with status $result"
mkdir "$work/return"
if ! tar -xzf "$work/return.tgz" -C "$work/return" 2>/dev/null || [ ! -s "$work/return/status" ]; then
    fail 4 "the outer machine ended without sending its results"
fi
if [ -n "$out" ]; then
    mkdir -p "$out"
    cp -R "$work/return/results/." "$out/"
fi
cat "$work/return/stdout"
exit "$(cat "$work/return/status")"
