/*
 * SQLite's files on the disk at the other end of a channel: a database and its journal, in places that
 * are fixed, with a label that tells how long they are. Whole blocks of 4 KiB pass as messages; of each
 * file one block is held for shorter reads and writes.
 */
#ifndef BULKHEAD_SQLITE_VFS_H
#define BULKHEAD_SQLITE_VFS_H

/* Connects to the disk and reads its label; without one the disk is empty. SQLITE_OK, or an error of it. */
int vfs_start(const char *channel);

#endif
