"""Emulated machines that boot an image of `bulkhead iso` by their own firmware, like bare metal."""
import os
import shutil
import subprocess
import sys
import time

OVMF = "/usr/share/ovmf/OVMF.fd"
BOCHS_BIOS = "/usr/share/bochs/BIOS-bochs-latest"
BOCHS_VGA = "/usr/share/bochs/VGABIOS-lgpl-latest"
LAST_LINE = b"over the serial port to have the lines once more"
SECONDS = 120

QEMU = ["qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-nodefaults", "-no-user-config",
        "-display", "none", "-net", "none", "-no-reboot", "-serial", "stdio"]
CD = ["-cdrom", "{iso}"]
USB = ["-drive", "if=none,id=stick,format=raw,readonly=on,file={iso}", "-device", "qemu-xhci",
       "-device", "usb-storage,drive=stick"]
MACHINES = {
    "qemu": ["-cpu", "max", "-vga", "std", *CD],
    "counted": ["-cpu", "max", "-vga", "std", "-icount", "shift=0,sleep=off", *CD],
    "usb": ["-cpu", "max", "-vga", "std", *USB],
    "uefi": ["-cpu", "max", "-bios", OVMF, *CD],
    "lacking": ["-cpu", "max,pdpe1gb=off", *CD],  # and without a screen
}
BOCHS = """config_interface: textconfig
display_library: term
plugin_ctrl: iodebug=1, speaker=0, parallel=0, gameport=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
cpu: model=tigerlake, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=0
memory: guest=256, host=256
romimage: file={bios}
vgaromimage: file={vga}
ata0: enabled=1
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={log}
clock: sync=none, time0=1704067200
log: {folder}/bochs.out
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""


def skip_without(*needed):
    """Ends with the status of a skipped test when a program or a file is not there."""
    for name in needed:
        if not (os.path.exists(name) if name.startswith("/") else shutil.which(name)):
            print(f"skipped: {name} is not installed")
            sys.exit(77)


def needs(machine):
    skip_without("grub-mkrescue", "xorriso", "mformat", "/usr/lib/grub/i386-pc")
    if machine == "bochs":
        skip_without("bochs", BOCHS_BIOS, BOCHS_VGA)
    elif machine == "uefi":
        skip_without("qemu-system-x86_64", OVMF, "/usr/lib/grub/x86_64-efi")
    else:
        skip_without("qemu-system-x86_64")


def boot_qemu(machine, iso, log, again):
    """There is no exit device: like a real machine it runs on after the end, and hears an `r`."""
    arguments = [text.format(iso=iso) for text in MACHINES[machine]]
    deadline = time.monotonic() + SECONDS
    with open(log, "wb") as output, subprocess.Popen(
            [*QEMU, *arguments], stdin=subprocess.PIPE, stdout=output) as qemu:
        try:
            for copies in range(1, again + 2):
                while True:
                    with open(log, "rb") as text:
                        printed = text.read()
                    if LAST_LINE in printed and printed.count(b" end #") >= copies:
                        break
                    if qemu.poll() is not None or time.monotonic() > deadline:
                        sys.exit(f"{machine} never came to its end; its log is {log}")
                    time.sleep(0.05)
                if copies <= again:
                    qemu.stdin.write(b"r")
                    qemu.stdin.flush()
        finally:
            qemu.kill()


def boot_bochs(iso, log, folder):
    config, script = (os.path.join(folder, name) for name in ("bochsrc", "script"))
    with open(config, "w", encoding="utf-8") as file:
        file.write(BOCHS.format(iso=iso, log=log, folder=folder, bios=BOCHS_BIOS, vga=BOCHS_VGA))
    with open(script, "w", encoding="utf-8") as file:
        file.write("c\nq\n")
    subprocess.run(["bochs", "-q", "-f", config, "-rc", script], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS,
                   env={**os.environ, "TERM": "linux"}, check=False)


def boot(machine, iso, log, folder, again=0):
    """Boots the image and leaves what came over the serial port in `log`; with `again` copies more."""
    if machine == "bochs":
        boot_bochs(iso, log, folder)
    else:
        boot_qemu(machine, iso, log, again)
