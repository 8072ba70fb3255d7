/* The block driver of WebFiles with blocks of 512 bytes, the smallest transfer of disks; 1 MiB. */
#define DISK_BLOCK_BYTES 512u
#define DISK_BLOCKS 2048u
#include "sip/webfiles/ram-disk.c"
