/*
 * The sqlite3_vfs. Lengths of files are made durable by a write of the label, block 0, after the data:
 * when a file is synced, and when the journal is deleted, which is what commits a transaction.
 */
#include "vfs.h"

#include "sip/webfiles/disk_channel.h"

#include <sqlite3.h>
#include <string.h>

#define BLOCK_BYTES EXT2_BLOCK_BYTES
#define LABEL_MAGIC 0x4c51534b4c554221ull
#define JOURNAL_BLOCKS 512u
#define NONE UINT32_MAX

enum {
    DATABASE,
    JOURNAL,
    STORES
};

struct label {
    uint64_t magic;
    int64_t bytes[STORES]; /* -1: there is no such file */
};

struct store { /* a file's place on the disk */
    uint32_t first, blocks;
    uint32_t held; /* the block in `page`, or NONE */
    bool changed;  /* and not yet written */
    uint8_t page[BLOCK_BYTES];
};

struct file {
    sqlite3_file base;
    uint32_t store;
};

static struct store stores[STORES];
static struct label label, written;

/* ---- blocks ---- */

static int write_label(void) {
    static uint8_t block[BLOCK_BYTES];
    if (memcmp(&label, &written, sizeof label) == 0)
        return SQLITE_OK;
    memcpy(block, &label, sizeof label);
    if (disk_write(0, 1, block))
        return SQLITE_IOERR_FSYNC;
    written = label;
    return SQLITE_OK;
}

static int write_held(struct store *store) {
    if (store->changed && disk_write(store->first + store->held, 1, store->page))
        return SQLITE_IOERR_WRITE;
    store->changed = false;
    return SQLITE_OK;
}

/* Has the block in `page`; what lies beyond the end of the file is zeros. */
static int hold(uint32_t number, uint32_t block) {
    struct store *store = &stores[number];
    int64_t there = label.bytes[number] - (int64_t)block * BLOCK_BYTES;
    if (store->held == block)
        return SQLITE_OK;
    int error = write_held(store);
    if (error)
        return error;
    store->held = NONE;
    if (there > 0 && disk_read(store->first + block, 1, store->page))
        return SQLITE_IOERR_READ;
    there = there < 0 ? 0 : there;
    if (there < BLOCK_BYTES)
        memset(store->page + there, 0, (size_t)(BLOCK_BYTES - there));
    store->held = block;
    return SQLITE_OK;
}

static int read_part(uint32_t number, uint32_t block, uint32_t from, uint8_t *to, uint32_t bytes) {
    struct store *store = &stores[number];
    if (bytes == BLOCK_BYTES && store->held != block)
        return disk_read(store->first + block, 1, to) ? SQLITE_IOERR_READ : SQLITE_OK;
    int error = hold(number, block);
    if (!error)
        memcpy(to, store->page + from, bytes);
    return error;
}

static int write_part(uint32_t number, uint32_t block, uint32_t at, const uint8_t *from,
                      uint32_t bytes) {
    struct store *store = &stores[number];
    if (bytes == BLOCK_BYTES && store->held != block)
        return disk_write(store->first + block, 1, from) ? SQLITE_IOERR_WRITE : SQLITE_OK;
    int error = hold(number, block);
    if (error)
        return error;
    memcpy(store->page + at, from, bytes);
    store->changed = true;
    return SQLITE_OK;
}

/* ---- a file ---- */

static uint32_t number_of(sqlite3_file *file) { return ((struct file *)file)->store; }

static uint32_t part_of(int64_t at, int64_t end) { /* up to the next block */
    int64_t bytes = BLOCK_BYTES - at % BLOCK_BYTES;
    return (uint32_t)(bytes < end - at ? bytes : end - at);
}

static int file_read(sqlite3_file *file, void *to, int bytes, sqlite3_int64 at) {
    uint32_t number = number_of(file);
    int64_t end = at + bytes, there = label.bytes[number];
    uint8_t *next = to;
    for (uint32_t part; at < end && at < there; at += part, next += part) {
        part = part_of(at, end < there ? end : there);
        int error = read_part(number, (uint32_t)(at / BLOCK_BYTES), (uint32_t)(at % BLOCK_BYTES),
                              next, part);
        if (error)
            return error;
    }
    if (at == end)
        return SQLITE_OK;
    memset(next, 0, (size_t)(end - at));
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *from, int bytes, sqlite3_int64 at) {
    uint32_t number = number_of(file);
    int64_t end = at + bytes;
    const uint8_t *next = from;
    if (end > (int64_t)stores[number].blocks * BLOCK_BYTES)
        return SQLITE_FULL;
    for (uint32_t part; at < end; at += part, next += part) {
        part = part_of(at, end);
        int error = write_part(number, (uint32_t)(at / BLOCK_BYTES), (uint32_t)(at % BLOCK_BYTES),
                               next, part);
        if (error)
            return error;
    }
    if (end > label.bytes[number])
        label.bytes[number] = end;
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 bytes) {
    uint32_t number = number_of(file);
    int error = write_held(&stores[number]);
    stores[number].held = NONE; /* its end may have been cut off */
    if (bytes < label.bytes[number])
        label.bytes[number] = bytes;
    return error;
}

static int file_sync(sqlite3_file *file, int flags) {
    (void)flags;
    int error = write_held(&stores[number_of(file)]);
    return error ? error : write_label();
}

static int file_close(sqlite3_file *file) { return write_held(&stores[number_of(file)]); }

static int file_size(sqlite3_file *file, sqlite3_int64 *bytes) {
    *bytes = label.bytes[number_of(file)];
    return SQLITE_OK;
}

/* There is one connection to a database. */
static int file_lock(sqlite3_file *file, int level) {
    (void)file, (void)level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *file, int *is_reserved) {
    (void)file;
    *is_reserved = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int what, void *argument) {
    (void)file, (void)what, (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *file) {
    (void)file;
    return BLOCK_BYTES;
}

/* A file gets longer by the label, after its data. */
static int file_device(sqlite3_file *file) {
    (void)file;
    return SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
};

/* ---- files by name ---- */

static uint32_t number_named(const char *name) {
    return strstr(name, "-journal") ? JOURNAL : DATABASE;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out) {
    (void)vfs;
    struct file *file = (struct file *)base;
    base->pMethods = NULL;
    if (!name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL)))
        return SQLITE_CANTOPEN; /* temporary files are in memory */
    file->store = flags & SQLITE_OPEN_MAIN_DB ? DATABASE : JOURNAL;
    if (label.bytes[file->store] < 0) {
        if (!(flags & SQLITE_OPEN_CREATE))
            return SQLITE_CANTOPEN;
        label.bytes[file->store] = 0;
    }
    base->pMethods = &file_methods;
    if (out)
        *out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int now) {
    (void)vfs, (void)now;
    struct store *store = &stores[number_named(name)];
    store->held = NONE;
    store->changed = false;
    label.bytes[number_named(name)] = -1;
    return write_label();
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs, (void)flags;
    *result = !strstr(name, "-wal") && label.bytes[number_named(name)] >= 0;
    return SQLITE_OK;
}

static int vfs_path(sqlite3_vfs *vfs, const char *name, int bytes, char *to) {
    (void)vfs;
    if (strlen(name) >= (size_t)bytes)
        return SQLITE_CANTOPEN;
    strcpy(to, name);
    return SQLITE_OK;
}

/* Nothing that is measured may depend on chance or on the time of day; journals want to differ. */
static int vfs_random(sqlite3_vfs *vfs, int bytes, char *to) {
    static uint64_t state = 1;
    (void)vfs;
    for (int i = 0; i < bytes; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        to[i] = (char)(state >> 56);
    }
    return bytes;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *days) {
    (void)vfs;
    *days = 2451544.5; /* 1 January 2000 */
    return SQLITE_OK;
}

static int vfs_error(sqlite3_vfs *vfs, int bytes, char *to) {
    (void)vfs, (void)bytes, (void)to;
    return 0;
}

int vfs_start(const char *channel) {
    static uint8_t block[BLOCK_BYTES];
    uint32_t blocks = disk_connect(channel);
    if (blocks <= 2 * JOURNAL_BLOCKS)
        return SQLITE_FULL;
    stores[JOURNAL] = (struct store){.first = 1, .blocks = JOURNAL_BLOCKS, .held = NONE};
    stores[DATABASE] = (struct store){
        .first = 1 + JOURNAL_BLOCKS, .blocks = blocks - 1 - JOURNAL_BLOCKS, .held = NONE};
    if (disk_read(0, 1, block))
        return SQLITE_IOERR_READ;
    memcpy(&label, block, sizeof label);
    written = label;
    if (label.magic != LABEL_MAGIC)
        label = (struct label){.magic = LABEL_MAGIC, .bytes = {-1, -1}};
    return SQLITE_OK;
}

int sqlite3_os_init(void) {
    static sqlite3_vfs vfs = {
        .iVersion = 1,
        .szOsFile = sizeof(struct file),
        .mxPathname = 64,
        .zName = "blocks",
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_path,
        .xRandomness = vfs_random,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_error,
    };
    return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void) { return SQLITE_OK; }
