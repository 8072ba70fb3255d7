/* The block driver of SQLite: that of WebFiles with 8 MiB for each client. */
#define DISK_BLOCK_BYTES 4096u
#define DISK_BLOCKS 2048u
#include "sip/webfiles/ram-disk.c"
