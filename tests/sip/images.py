#!/usr/bin/python3
"""Every image that was built must be what its name says: `images.py TOOLS GATE WORK IMAGES`, the folder
of check_image.py, the gate, the builds' folder with a module for each SIP, and the images, whose folder
names the variant. Checked and masked code must contain calls of sip_trap() for the checks that its module cannot do without, and checked
code the compare of an index with the end of memory."""

import pathlib
import re
import struct
import subprocess
import sys

SAFETY = ("unchecked", "checked", "masked")
FLOAT = 1  # sip/abi.h, enum abi_image_feature
VARIANTS = {"": 0, "retpoline": 2, "cet": 4}
BOUNDS, CALL, STACK = 1, 2, 3
# mov $kind, %edi; call sip_trap
TRAP_CALL = re.compile(rb"\xbf(.)\0\0\0\xe8(....)", re.DOTALL)
# The line before a load sets its index. With a constant there, the compiler decides the check.
LOAD = re.compile(r"^ *w2c_i\d+ = (.*);\n.*\bi(?:32|64)_load\w*\(", re.MULTILINE)
ACCESS = re.compile(r"\bi(32|64)_(?:load|store)(\d*)\w*\(&instance->w2c_memory, "
                    r"\(u64\)\(w2c_i\d+\)(?: \+ (\d+))?")
FIELD_BYTES = 32  # an offset above it may be a variable's address: any number could match by chance
COMPARE = re.compile(r"\bcmp[bwlq]? +\$0x([0-9a-f]+),%")
MEMORY = re.compile(r"#define SIP_MEMORY_BYTES (\d+)")


def sections(data):
    offset, count = struct.unpack_from("<Q", data, 40)[0], struct.unpack_from("<H", data, 60)[0]
    return [struct.unpack_from("<IIQQQQIIQQ", data, offset + 64 * i) for i in range(count)]


def symbol(data, wanted):
    """The value of a symbol, or None."""
    all_sections = sections(data)
    for _, kind, _, _, offset, size, link, _, _, _ in all_sections:
        if kind != 2:
            continue
        names = all_sections[link][4]
        for at in range(offset, offset + size, 24):
            name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", data, at)
            if data[names + name:data.index(b"\0", names + name)] == wanted:
                return value
    return None


def code_of(data):
    """Address and bytes of each section with code."""
    return [(address, data[offset:offset + size])
            for _, kind, flags, address, offset, size, *_ in sections(data)
            if kind == 1 and flags & 4]


def trap_kinds(data):
    """The kinds that the code passes to sip_trap()."""
    trap = symbol(data, b"sip_trap")
    return {found[1][0] for address, text in code_of(data) for found in TRAP_CALL.finditer(text)
            if address + found.end() + struct.unpack("<i", found[2])[0] == trap}


def has_compare(image, generated, memory):
    """Whether an index is compared as an access of the module needs it: above memory - width - offset."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", image], capture_output=True,
                             text=True, check=True).stdout
    compared = {int(value, 16) for value in COMPARE.findall(listing)}
    limits = {memory - int(narrow or wide) // 8 - int(offset or 0)
              for wide, narrow, offset in ACCESS.findall(generated)
              if int(offset or 0) < FIELD_BYTES}
    # Compilers differ: above a limit, or not below the next number. Ranges are compared with `memory`.
    limits |= {limit + 1 for limit in limits}
    return bool(compared & (limits - {memory}))


def missing_checks(image, data, folder, kind):
    generated = (folder / "generated.c").read_text("ascii")
    wanted = {STACK}
    if re.search(r"\bmemory_(copy|fill)\(", generated):
        wanted.add(BOUNDS)
    if "CALL_INDIRECT(" in generated:
        wanted.add(CALL)
    if kind == "checked" and any(not re.fullmatch(r"\d+u", index)
                                 for index in LOAD.findall(generated)):
        wanted.add(BOUNDS)
        memory = int(MEMORY.search((folder / "constants.h").read_text("ascii"))[1])
        if not has_compare(image, generated, memory):
            return "no index is compared with the end of memory"
    missing = wanted - trap_kinds(data)
    return f"no call of sip_trap() for the kinds {sorted(missing)}" if missing else None


def problems(image, variant, tools, gate, work):
    name, kind, _ = image.name.rsplit(".", 2)
    what = "hostile-image" if name.startswith("hostile-") else "image"
    done = subprocess.run([sys.executable, tools / "check_image.py", what, image],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip()
    data = image.read_bytes()
    note = data.index(b"\x09\0\0\0\x28\0\0\0\x01\0\0\0Bulkhead\0")
    safety, features = struct.unpack_from("<I24xQ", data, note + 28)
    if SAFETY[safety] != kind:
        return f"its note says {SAFETY[safety]}"
    if features & ~FLOAT != VARIANTS[variant]:
        return f"its note has the features {features:#x}"
    if kind == "unchecked":
        return "it has the run-time of checked code" if symbol(data, b"sip_trap") else None
    folder = work / name
    options = ["--float"] if features & FLOAT else []
    done = subprocess.run([gate, *options, tools / "image.rules", folder / "module.wasm"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip()
    return missing_checks(image, data, folder, kind)


def main():
    tools, gate, work, folder = map(pathlib.Path, sys.argv[1:])
    images = [(variant, image) for variant in VARIANTS
              for image in sorted((folder / variant).glob("*.*.elf"))]
    failed = {variant for variant, _ in images} != set(VARIANTS)
    for number, (variant, image) in enumerate(images, 1):
        problem = problems(image, variant, tools, gate, work)
        failed |= bool(problem)
        print(f"{'not ok' if problem else 'ok'} {number} - {image.relative_to(folder)}"
              f"{': ' + problem if problem else ''}")
    print(f"1..{len(images)}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
