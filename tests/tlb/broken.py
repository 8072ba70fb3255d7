"""Kernels that are broken on purpose, each in one mechanism: a self-test or an attack must notice.

usage: broken.py BULKHEAD SOURCE_ROOT BUILD_ROOT DIR COMPILER FLAGS...

FLAGS are what the kernel is compiled with; its other objects are taken from the build.
"""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys

# name: (file, what is in it, what takes its place, files that are compiled anew, layout, who notices:
# the self-test that fails, or an attack and what becomes of it)
FLUSHERS = ["heap.c", "sip_memory.c", "selftest_mechanisms.c"]
BROKEN = {
    "no INVLPG: self-test": (
        "tlb.h", "        x86_invlpg(va);\n", "", FLUSHERS, "hip-r3-s",
        "a page that was unmapped in the current space is gone"),
    "no INVLPG: use after free": (
        "tlb.h", "        x86_invlpg(va);\n", "", FLUSHERS, "hip-r3-s", ("write_after_free", "contained")),
    "AC lasts into the kernel": (
        "mechanism/smap.c", "|| point == POINT_TRAP_IN", "", [], "smap",
        "SMAP cannot be lifted by a SIP's flags"),
    "AC is left set by a copy": (
        "mechanism/smap.c", "point == POINT_COPY_OUT || ", "", [], "smap",
        "ring 0 reaches user pages by user_copy(), and otherwise unless SMAP stops it"),
    "SMEP is not set": (
        "mechanism/smep.c", "x86_set_cr4(CR4_SMEP);", "", [], "smap",
        "ring 0 runs the code of user pages unless SMEP stops it"),
    "UMIP is not set": (
        "mechanism/umip.c", "x86_set_cr4(CR4_UMIP);", "", [], "hip-r3-s-umip",
        ("tell_descriptor_table", "succeeds")),
    "ring 3's tables have all of the kernel": (
        "space.c", "table_at(trampoline.root)[index_at(KERNEL_VA, 3)]", "from[index_at(KERNEL_VA, 3)]",
        [], "hip-r3-s-kpti", "what ring 3 sees of the kernel"),
    "on-switch actions between SIPs of one domain": (
        "compose.c", "if (!wanted || pair->same ||", "if (!wanted ||", [], "hip-r3-ibpb",
        "routines hold the code of their mechanisms once, and none of others"),
    "global entries of SIPs": (
        "space.c", "space_flags(access) | (level ? PTE_LARGE : 0)",
        "space_flags(access) | PTE_GLOBAL | (level ? PTE_LARGE : 0)", [], "hip-r3-s-global",
        "the kernel's half is global where that is on, and nothing else is"),
    "one key for all": (
        "domain.c", "used |= 1u << domains[i].key;", "used |= 0;", [], "pku",
        "each domain under PKU has a key, which its pages and threads have"),
    "keys are not loaded": (
        "mechanism/pku.c", "compose_unless_simulated(MECHANISM_PKU, pku_load);", "(void)pku_load;", [],
        "pku", ("read_peer", "succeeds")),
    "registers are not loaded": (
        "mechanism/fpu_eager.c", "compose_unless_simulated(MECHANISM_FPU_EAGER, fpu_load);",
        "(void)fpu_load;", [], "hip-r3-s-eager", ("read_registers", "succeeds")),
}


class Kernel:
    """The sources of one broken kernel and its image."""

    def __init__(self, options, number, name):
        self.bulkhead, self.root, self.build, folder, *self.compile = options
        self.name, self.folder = name, os.path.join(folder, str(number))
        self.file, self.good, self.bad, self.also, self.layout, self.notices = BROKEN[name]

    def make(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        sources = os.path.join(self.folder, "guest-kernel")
        shutil.copytree(os.path.join(self.root, "guest-kernel"), sources)
        path = os.path.join(sources, self.file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(self.good) != 1:
            sys.exit(f"{self.file} no longer has, once: {self.good}")
        with open(path, "w", encoding="utf-8") as source:
            source.write(text.replace(self.good, self.bad))
        work = os.path.join(self.build, "kernel-work")
        objects = {os.path.relpath(path, work): path
                   for pattern in ("*.o", "mechanism/*.o") for path in glob.glob(f"{work}/{pattern}")}
        for file in [*self.also, *([self.file] if self.file.endswith(".c") else [])]:
            objects[file + ".o"] = os.path.join(self.folder, os.path.basename(file) + ".o")
            subprocess.run([*self.compile, f"-I{self.folder}", f"-I{sources}", f"-I{self.root}", "-c",
                            os.path.join(sources, file), "-o", objects[file + ".o"]], check=True)
        images = os.path.join(self.folder, "images")
        os.makedirs(images)
        for image in glob.glob(os.path.join(self.build, "images", "*.elf")):
            os.symlink(image, os.path.join(images, os.path.basename(image)))
        os.remove(os.path.join(images, "kernel.elf"))
        subprocess.run(["ld", "-nostdlib", "-static", "-z", "max-page-size=4096", "-z", "noexecstack",
                        "--build-id=none", "--no-warn-rwx-segments", "-T",
                        os.path.join(sources, "kernel.ld"), "-o", os.path.join(images, "kernel.elf"),
                        *sorted(objects.values())], check=True)

    def output(self, *command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, errors="replace",
                              env={**os.environ, "BULKHEAD_IMAGES": os.path.join(self.folder, "images")})
        return done.stdout

    def noticed(self):
        """What shows that it is broken, or None; and all that was printed."""
        breakout = os.path.join(self.root, "tests", "breakout")
        if isinstance(self.notices, str):
            layout = self.layout
            if layout == "smap":
                layout = os.path.join(breakout, "layouts", "hip-r3-s-smap.yaml")
            text = self.output(self.bulkhead, "run", "--layout", layout, "--workload", "yield",
                               "--backend", "qemu", "--simulate", "--self-test", "--out",
                               os.path.join(self.folder, "out"))
            lines = [line for line in text.splitlines() if line.startswith("not ok")]
            found = [line for line in lines if self.notices in line]
            return (found[0] if found else None), text
        attack, becomes = self.notices
        text = self.output("/usr/bin/python3", "-B", os.path.join(breakout, "breakout.py"),
                           self.bulkhead, "--layout", self.layout, "--safety", "unchecked",
                           "--attack", attack)
        found = re.search(rf"^.* {attack}: expected .*, got '{becomes}'$", text, re.MULTILINE)
        return (found[0] if found else None), text


def check(kernel):
    kernel.make()
    return kernel.noticed()


def main(options):
    failures = 0
    os.makedirs(options[3], exist_ok=True)
    kernels = [Kernel(options, number, name) for number, name in enumerate(BROKEN)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for kernel, (what, text) in zip(kernels, pool.map(check, kernels)):
            if what:
                print(f"noticed: {kernel.name}: {what}")
            else:
                print(f"FAIL: not noticed: {kernel.name}\n{text}")
                failures += 1
    if failures:
        sys.exit(f"{failures} checks failed")
    print(f"{len(kernels)} broken kernels were noticed")


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(sys.argv[1:])
