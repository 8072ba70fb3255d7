#!/bin/sh
# The build's own guards must say no: to code whose checks are gone, to symbols from elsewhere, to
# relocations that no loader applies, to a large frame, and to another wasm2c.
# Usage: guards.sh SOURCE CC WASM2C
set -u
source=$1 cc=$2 wasm2c=$3
tools=$source/sip/toolchain
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0 failed=0

refuses() { # NAME EXPECTED COMMAND...
    name=$1 expected=$2
    shift 2
    number=$((number + 1))
    if "$@" >"$work/message" 2>&1; then
        echo "not ok $number - $name: was let through"
        failed=1
    elif grep -qF -- "$expected" "$work/message"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name: expected '$expected', got '$(cat "$work/message")'"
        failed=1
    fi
}

cd "$work" || exit 1
echo 'extern void sip_trap(int); extern long sip_stack_limit, elsewhere;
long run(long i) { if (i > sip_stack_limit) sip_trap(1); return elsewhere; }' >foreign.c
echo 'int run(int *p) { return *p; }' >bare.c
echo 'static int x; void sip_entry(void); void sip_entry(void) { x = 1; }
long sip_slots[512] __attribute__((aligned(4096)));
extern int elsewhere; int *volatile pointer = &elsewhere;' >import.c
"$cc" -c foreign.c && "$cc" -c bare.c && "$cc" -c -fPIC import.c || exit 1
refuses 'an object with a symbol from elsewhere' 'elsewhere: not of the run-time' \
    /usr/bin/python3 "$tools/check_image.py" object foreign.o
refuses 'an object without checks' 'the checks are lost' \
    /usr/bin/python3 "$tools/check_image.py" object bare.o
refuses 'a program of the host' 'it asks for a dynamic linker' \
    /usr/bin/python3 "$tools/check_image.py" image /bin/sh
"$cc" -shared -nostdlib -Wl,--build-id=none -T "$tools/sip.ld" -Wl,--defsym=sip_abi_version=1 \
    -Wl,--defsym=sip_safety=0 -Wl,--defsym=sip_stack_bytes=65536 -Wl,--defsym=sip_features=0 -Wl,-z,max-page-size=4096 \
    -Wl,-z,norelro -o import.elf import.o || exit 1
refuses 'an image that another file must complete' 'relocation of type 1 at' \
    /usr/bin/python3 "$tools/check_image.py" image import.elf

# Images that break what their note promises: sip_features is as in sip/abi.h.
echo 'void sip_entry(void (*function)(void));
long sip_slots[512] __attribute__((aligned(4096)));
#ifndef TAKEN
#define TAKEN
#endif
static TAKEN void taken(void) { __asm__ volatile("nop"); }
static void (*volatile pointer)(void) = taken;
void sip_entry(void (*function)(void)) { pointer(); function(); }' >promise.c
echo 'void sip_entry(void); long sip_slots[512] __attribute__((aligned(4096)));
void sip_entry(void) { __asm__ volatile(CODE); }' >code.c
promise() { # FEATURES SOURCE FLAGS...
    features=$1 source_file=$2
    shift 2
    "$cc" -O2 -fPIE -ffreestanding "$@" -c "$source_file" -o promise.o &&
        "$cc" -static-pie -nostdlib -Wl,--build-id=none -T "$tools/sip.ld" \
            -Wl,--defsym=sip_abi_version=2 -Wl,--defsym=sip_safety=0 \
            -Wl,--defsym=sip_stack_bytes=65536 -Wl,--defsym=sip_features="$features" \
            -Wl,-z,max-page-size=4096 -Wl,-z,norelro -o promise.elf promise.o || exit 1
}
check() { refuses "$1" "$2" /usr/bin/python3 "$tools/check_image.py" image promise.elf; }
promise 2 promise.c -fcf-protection=none
check 'an indirect branch in an image with retpolines' 'an indirect branch at'
if /usr/bin/python3 "$tools/check_image.py" hostile-image promise.elf; then
    number=$((number + 1))
    echo "ok $number - which an attacker may have"
else
    failed=1
fi
promise 4 promise.c -fcf-protection=none
check 'an entry without ENDBR64' 'does not start with ENDBR64'
promise 4 promise.c -fcf-protection=full -w '-DTAKEN=__attribute__((nocf_check))'
check 'a function without ENDBR64 whose address is taken' 'does not start with ENDBR64'
promise 4 code.c -fcf-protection=full -DCODE='"notrack jmp *%rax"'
check 'a branch that is not tracked' 'a branch that is not tracked at'
promise 1 code.c -DCODE='"fld1"'
check 'an x87 instruction' "other registers than SSE2's at"
promise 1 code.c -DCODE='"vzeroupper; vaddpd %xmm0, %xmm1, %xmm2"'
check 'an AVX instruction' "other registers than SSE2's at"
promise 8 code.c -DCODE='"nop"'
check 'a feature that does not exist' 'unknown features 0x8'

printf '#!/bin/sh\necho 1.0.33\n' >newer
chmod +x newer
refuses 'another wasm2c' 'newer is version 1.0.33' \
    /usr/bin/python3 "$tools/cut.py" "$work/newer" module.wasm out.c
# The right version, but with another prelude.
cat >altered <<END
#!/bin/sh
"$wasm2c" "\$@" || exit
[ "\$1" = --version ] || sed -i 's/RANGE_CHECK(mem, a, sizeof(t))//' out.c
END
chmod +x altered
echo '(module (memory 1 1))' >module.wat
wat2wasm module.wat -o module.wasm || exit 1
refuses 'an altered prelude' 'the prelude has the unknown SHA-256' \
    /usr/bin/python3 "$tools/cut.py" "$work/altered" module.wasm out.c

# 600 values that are all alive across a call do not fit a frame of 2048 bytes.
# shellcheck disable=SC2016
{
    echo '(module (memory 1 1) (func $f) (func (export "sip_main") (result i32) (local i64)'
    for i in $(seq 600); do echo "(i64.load (i32.const $((8 * i))))"; done
    echo '(call $f)'
    echo '(i64.store (i32.const 0) (i64.const 1))'
    for i in $(seq 599); do echo '(local.set 0) (i64.rotl (local.get 0))'; done
    echo '(i32.wrap_i64)))'
} >frame.wat
wat2wasm frame.wat -o frame.wasm && /usr/bin/python3 "$tools/cut.py" "$wasm2c" frame.wasm frame.c ||
    exit 1
printf '#define SIP_MEMORY_BYTES 65536\n#define SIP_TABLE_ENTRIES 0\n#define SIP_TABLE_SLOTS 1
#define SIP_HAS_IMPORTS 0\n' >constants.h
refuses 'a large frame' '2048' \
    "$cc" -std=gnu11 -O2 -ffreestanding -Werror -Wframe-larger-than=2048 -I"$tools" -I"$source" -I. \
    -DSIP_CONSTANTS='"constants.h"' -DSIP_HEADER='"frame.h"' -DSIP_GENERATED='"frame.c"' \
    -c "$tools/image.c" -o frame.o
echo "1..$number"
exit $failed
