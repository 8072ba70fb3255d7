/*
 * A client that asks the file system for what is not there, in the ways that its contract lets
 * through. Each request must be refused with the right error, and the next one served.
 */
#include "bench.h"
#include "files_contract.h"
#include "fs.h"

#include <string.h>

static struct bench bench;
static sip_endpoint server;
static uint64_t refused;

static sip_handle block_of(uint32_t bytes) {
    sip_handle block = sip_block_for(server, bytes);
    if (!block)
        sip_fail("no memory for a request");
    return block;
}

/* The answer is `type`, and an error where that says so. */
static void want(uint32_t type, int64_t error, const char *otherwise) {
    struct sip_message message = sip_recv(server);
    if (message.error || message.type != type ||
        (type == FILES_FAILED && files_failed_get_error(message.handle) != error))
        sip_fail(otherwise);
    refused += type == FILES_FAILED;
    sip_block_free(message.handle);
}

static void ask_name(uint32_t type, const char *path, uint32_t bytes) {
    sip_handle block = block_of(bytes);
    sip_msg_write(block, 0, path, bytes);
    if (sip_send(server, block, type, bytes))
        sip_fail("a name could not be sent");
}

static void refuse_name(uint32_t type, const char *path, uint32_t bytes, int64_t error) {
    ask_name(type, path, bytes);
    want(FILES_FAILED, error, "a wrong name got another answer than its error");
}

static void ask_read(uint64_t offset, uint32_t count) {
    if (files_send_read(server, block_of(FILES_READ_MAX_BYTES), offset, count))
        sip_fail("a read could not be sent");
}

static void ask_write(uint64_t offset, uint32_t bytes) {
    if (files_send_write(server, block_of(FILES_WRITE_MIN_BYTES + bytes), offset, bytes))
        sip_fail("a write could not be sent");
}

static void names(void) {
    static const char long_name[255] = {'/', 'x', [2 ... 254] = 'x'};
    for (uint32_t type = FILES_OPEN; type <= FILES_FOLDER; type++) {
        if (type != FILES_OPEN && type != FILES_CREATE && type != FILES_FOLDER)
            continue;
        refuse_name(type, "", 0, FS_EINVAL);
        refuse_name(type, "/", 1, FS_EINVAL);
        refuse_name(type, "file", 4, FS_EINVAL);
        refuse_name(type, "//", 2, FS_EINVAL);
        refuse_name(type, "/a\0b", 4, FS_EINVAL);
        refuse_name(type, "/none/file", 10, FS_ENOENT);
    }
    refuse_name(FILES_OPEN, long_name, sizeof long_name, FS_ENOENT);
    refuse_name(FILES_OPEN, "/..", 3, FS_EISDIR);
    refuse_name(FILES_OPEN, "/lost+found", 11, FS_EISDIR);
    refuse_name(FILES_FOLDER, "/..", 3, FS_EEXIST);
}

static void offsets(void) {
    ask_name(FILES_CREATE, "/file", 5);
    want(FILES_OPENED, 0, "a file could not be made");
    ask_write(0, 10);
    want(FILES_WRITTEN, 0, "a file could not be written");
    ask_read(10, 1); /* the end of the file */
    want(FILES_DATA, 0, "reading nothing failed");
    ask_read(11, 1);
    want(FILES_FAILED, FS_EINVAL, "an offset past the end got another answer than its error");
    ask_read(UINT64_MAX, UINT32_MAX);
    want(FILES_FAILED, FS_EINVAL, "the largest offset got another answer than its error");
    ask_read(0, FILES_DATA_MAX_BYTES + 1);
    want(FILES_FAILED, FS_EINVAL, "a count past the largest got another answer than its error");
    ask_write(UINT64_MAX, 5000);
    want(FILES_FAILED, FS_EFBIG, "writing far out got another answer than its error");
    ask_write(0, 0);
    want(FILES_WRITTEN, 0, "writing nothing failed");
    for (uint64_t offset = 0;; offset += FILES_DATA_MAX_BYTES) { /* till the disk is full */
        ask_write(offset, FILES_DATA_MAX_BYTES);
        struct sip_message message = sip_recv(server);
        bool full = message.type == FILES_FAILED;
        if (message.error || (full && files_failed_get_error(message.handle) != FS_ENOSPC))
            sip_fail("a full disk got another answer than its error");
        sip_block_free(message.handle);
        if (full)
            break;
    }
    ask_read(65536 - 10, 100);
    want(FILES_DATA, 0, "a file on a full disk could not be read");
    if (files_send_close(server, block_of(0)))
        sip_fail("a file could not be closed");
    want(FILES_CLOSED, 0, "a file could not be closed");
    refuse_name(FILES_CREATE, "/other", 6, FS_ENOSPC);
}

int sip_main(void) {
    server = sip_channel("files");
    bench_start(&bench, "refuse", RESULT_ROUND_TRIP);
    bench.samples = bench.batch = 1;
    bench_count_start(&bench);
    uint64_t start = sip_clock();
    names();
    offsets();
    bench.values[0] = sip_clock() - start;
    bench_count_end(&bench);
    bench_finish(&bench, 1, refused);
    return 0;
}
