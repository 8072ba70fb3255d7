#!/usr/bin/python3
"""Refuses what the loader or the isolation argument could not live with. `image FILE`: relocations
other than R_X86_64_RELATIVE, undefined symbols, a segment both writable and executable, a missing
or wrong note, code that does not keep what the note promises (see check_code.py); `hostile-image
FILE` leaves the last out, for attackers keep no promise. `object FILE`: checked code that uses
anything but its run-time, or never traps. Leaves what the code itself does to the gate and the
prelude."""

import struct
import sys

sys.dont_write_bytecode = True  # the sources are no place for it
import check_code  # pylint: disable=wrong-import-position

PT_LOAD, PT_NOTE, PT_INTERP = 1, 4, 3
SHT_SYMTAB, SHT_RELA, SHT_REL = 2, 4, 9
R_X86_64_RELATIVE = 8
NOTE_NAME = b"Bulkhead\0"
# All that the compiled form of a module may use, and what it must use if its checks are there.
RUNTIME = {"memcpy", "memmove", "memset", "memcmp", "sip_calls", "sip_slots"}
CHECKS = {"sip_trap", "sip_stack_limit"}
SAFETY = {0: "unchecked", 1: "checked", 2: "masked"}


class Refused(Exception):
    pass


def structs(data, offset, count, fmt):
    size = struct.calcsize(fmt)
    if offset + count * size > len(data):
        raise Refused("a table reaches past the end of the file: link it again")
    return [struct.unpack_from(fmt, data, offset + i * size) for i in range(count)]


def text_at(data, offset):
    return data[offset:data.index(b"\0", offset)].decode("ascii", "replace")


def undefined(data, names, offset, size):
    symbols = structs(data, offset, size // 24, "<IBBHQQ")[1:]
    return [text_at(data, names + name) for name, _, _, section, _, _ in symbols if section == 0]


def check_segments(data, segments):
    notes = 0
    for kind, flags, offset, vaddr, _, file_bytes, memory_bytes, align in segments:
        if kind == PT_INTERP:
            raise Refused("it asks for a dynamic linker: link with -static-pie")
        if kind == PT_LOAD:
            if flags & 1 and flags & 2:
                raise Refused(f"the segment at {vaddr:#x} is writable and executable: see sip.ld")
            if align != 4096 or offset % 4096 != vaddr % 4096 or file_bytes > memory_bytes:
                raise Refused(f"the segment at {vaddr:#x} cannot be mapped in 4 KiB pages: "
                              "link with -z max-page-size=4096")
        if kind == PT_NOTE:
            notes += 1
            entry, features = check_note(data[offset:offset + file_bytes])
    if notes != 1:
        raise Refused(f"{notes} PT_NOTE segments instead of one: link with sip.ld")
    return entry, features


def check_note(note):
    """Returns the entry and the features."""
    if len(note) != 64 or struct.unpack_from("<3I", note) != (9, 40, 1) or note[12:21] != NOTE_NAME:
        raise Refused("its note is not the one of sip/abi.h: link with sip.ld")
    _, safety, entry, slots, stack, features = struct.unpack_from("<IIQQQQ", note, 24)
    if safety not in SAFETY:
        raise Refused(f"its note has the unknown safety kind {safety}")
    if slots % 4096 or slots == 0:
        raise Refused(f"sip_slots at {slots:#x} is not page-aligned: declare it aligned(4096)")
    if stack == 0 or stack % 4096:
        raise Refused(f"a stack of {stack} bytes is not whole pages: see STACK of bulkhead_sip()")
    if entry >= 0x200000:
        raise Refused(f"sip_entry at {entry:#x} is not in the code segment")
    if features & ~check_code.FEATURES:
        raise Refused(f"its note has the unknown features {features:#x}")
    return entry, features


def check_sections(data, sections):
    """Returns the values that the loader writes: addresses in the image."""
    values = []
    for _, kind, _, _, offset, size, link, _, _, _ in sections:
        if kind == SHT_REL and size:
            raise Refused("it has REL relocations: only R_X86_64_RELATIVE ones are applied")
        if kind == SHT_RELA:
            for where, info, addend in structs(data, offset, size // 24, "<QQq"):
                if info & 0xFFFFFFFF != R_X86_64_RELATIVE:
                    raise Refused(f"relocation of type {info & 0xffffffff} at {where:#x}: only "
                                  "R_X86_64_RELATIVE is applied; compile with -fPIE and "
                                  "-fvisibility=hidden")
                values.append(addend)
        if kind == SHT_SYMTAB:
            for name in undefined(data, sections[link][4], offset, size):
                raise Refused(f"undefined symbol {name}: nothing resolves it when the image is "
                              "loaded")
    return values


def check_object(data, sections, tables):
    if len(tables) != 1:
        raise Refused("no symbol table: compile it again")
    _, _, _, _, offset, size, link, _, _, _ = tables[0]
    names = set(undefined(data, sections[link][4], offset, size))
    if names - RUNTIME - CHECKS:
        raise Refused(f"{', '.join(sorted(names - RUNTIME - CHECKS))}: not of the run-time, so "
                      "nothing may need it; see RUNTIME in check_image.py")
    if CHECKS - names:
        raise Refused(f"{', '.join(sorted(CHECKS - names))} is not used: the checks are lost")


def check(what, path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\x02\x01" or len(data) < 64:
        raise Refused("not a 64-bit little-endian ELF file")
    (kind, machine, _, _, phoff, shoff, _, _, _, phnum, _, shnum, _) = struct.unpack_from(
        "<HHIQQQIHHHHHH", data, 16)
    sections = structs(data, shoff, shnum, "<IIQQQQIIQQ")
    tables = [section for section in sections if section[1] == SHT_SYMTAB]
    if what == "object":
        check_object(data, sections, tables)
        return
    if kind != 3 or machine != 62:
        raise Refused("not a position-independent x86-64 executable: link with -static-pie")
    segments = structs(data, phoff, phnum, "<IIQQQQQQ")
    entry, features = check_segments(data, segments)
    if not tables:
        raise Refused("it has no symbol table, which crash reports need: do not strip it")
    values = check_sections(data, sections)
    if features and what == "image":
        text = next(segment for segment in segments if segment[0] == PT_LOAD and segment[1] & 1)
        code = data[text[2]:text[2] + text[5]]
        problem = check_code.problem(path, features, text[3], code, [entry, *values])
        if problem:
            raise Refused(problem)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("image", "hostile-image", "object"):
        sys.exit("usage: check_image.py image|hostile-image|object FILE")
    try:
        check(sys.argv[1], sys.argv[2])
    except (OSError, Refused) as why:
        sys.exit(f"{sys.argv[2]}: {why}")


if __name__ == "__main__":
    main()
