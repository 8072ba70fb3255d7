/* The linked probe guest, inside the host program: PROBE_FILE is its path at build time. */
    .section .rodata
    .balign 16
    .globl probe_blob, probe_blob_end
probe_blob:
    .incbin PROBE_FILE
probe_blob_end:
    .section .note.GNU-stack, "", @progbits
