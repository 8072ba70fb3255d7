"""The flush policy against a model of a tagged TLB, and policies that are broken on purpose, each of
which the model must catch.

usage: policy.py SOURCE_ROOT CC DIR
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL = ["tlb.c", "space.c", "heap.c", "domain.c", "sip_memory.c"]
STEPS = 4000
# name: (file, what is in it, what takes its place)
BROKEN = {
    "no INVLPG for the current space": ("tlb.h", "        x86_invlpg(va);\n", ""),
    "a tagged space that is not current is left alone": (
        "tlb.c", "    else\n        flush_page(space->root, space->pcid, va);\n", ""),
    "INVLPG whatever space it is": (
        "tlb.c", "    if (current)\n        x86_invlpg(va);\n    else\n"
        "        flush_page(space->root, space->pcid, va);\n", "    x86_invlpg(va);\n"),
    "KPTI's second tag is forgotten for pages": (
        "tlb.c", "        flush_page(space->user_root, space->pcid + 1, va);\n", ""),
    "KPTI's second tag is forgotten for spaces": (
        "tlb.c", "        flush_tag(space->user_root, space->pcid + 1);\n", ""),
    "a tag is given anew as it is": ("space.c", "    tlb_forget_tag(pcid);\n", ""),
    "KPTI's second tag is given anew as it is": (
        "space.c", "    tlb_forget_tag(pcid + 1);\n", "    (void)pcid;\n"),
    "a reload that keeps what it is to flush": (
        "tlb.c", "x86_write_cr3_twice(root | pcid,", "x86_write_cr3_twice(root | pcid | CR3_KEEP,"),
    "a reload of the current space that keeps everything": (
        "tlb.c", "x86_write_cr3(space->load & ~CR3_KEEP)", "x86_write_cr3(space->load)"),
    "a current page that is kept because its space is tagged": (
        "tlb.h", "if (space->tagged) {", "if (space->tagged && !current) {"),
    "domains with the same tag": ("domain.c", "PCID_OF_DOMAIN(domain_hint)", "PCID_OF_DOMAIN(1)"),
    "a block that is unmapped and not flushed": (
        "heap.c", "        tlb_forget_page(heap->space[0], current, heap->va + (uint64_t)i * PAGE_BYTES);\n",
        "        (void)current;\n"),
    "pages that are unmapped and not flushed": (
        "sip_memory.c", "            tlb_forget_page(space, current, va + done);\n",
        "            (void)current;\n"),
}


def build(root, compiler, folder, broken=None):
    """The test with the kernel's files, one of them broken; the program's path."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(root, "guest-kernel"), os.path.join(folder, "guest-kernel"))
    if broken:
        file, good, bad = broken
        path = os.path.join(folder, "guest-kernel", file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(good) != 1:
            sys.exit(f"{file} no longer has, once: {good}")
        with open(path, "w", encoding="utf-8") as source:
            source.write(text.replace(good, bad))
    program = os.path.join(folder, "test_policy")
    subprocess.run([compiler, "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused",
                    "-DRING_SMP=0", "-fno-builtin", "-include", os.path.join(HERE, "model.h"),
                    f"-I{folder}", f"-I{folder}/guest-kernel", f"-I{HERE}", f"-I{root}", "-o", program,
                    os.path.join(HERE, "model.c"), os.path.join(HERE, "test_policy.c"),
                    *(os.path.join(folder, "guest-kernel", file) for file in KERNEL)], check=True)
    return program


def run(program):
    done = subprocess.run([program, "1", str(STEPS)], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def main(root, compiler, folder):
    failures = 0
    status, text = run(build(root, compiler, folder))
    print(text)
    failures += status != 0
    for name, broken in BROKEN.items():
        status, text = run(build(root, compiler, folder, broken))
        lines = [line for line in text.splitlines() if line.startswith("stale")]
        if status != 1 or not lines:
            print(f"FAIL: not caught: {name}\n{text}")
            failures += 1
        else:
            print(f"caught: {name}: {lines[0]}")
    if failures:
        sys.exit(f"{failures} checks failed")
    print(f"{len(BROKEN)} broken policies were caught, and the kernel's own leaves nothing stale")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
