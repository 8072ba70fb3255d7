/*
 * The file system as a SIP: serves one client by the contract `files` from the disk behind `blocks`.
 * Short reads and parts of blocks go through the block cache; longer runs of whole blocks pass from
 * the disk to the client, or from the client to the disk, in the message that holds them.
 */
#include "disk_channel.h"
#include "files_contract.h"

#define CACHED_BYTES 16384u /* the longest read that the cache serves */
#define INODES 1024u        /* of a disk that has no file system yet */

_Static_assert(FILES_WRITE_DATA_OFFSET == 8, "where disk_write_message() wants the data");

static struct fs fs;
static sip_endpoint client;
static uint32_t file; /* that is open */

/* The request's block, or another one, with room for an answer of `bytes`. */
static sip_handle answer_in(sip_handle request, uint32_t bytes) {
    if (sip_message_bytes(request) >= bytes)
        return request;
    sip_block_free(request);
    sip_handle answer = sip_block_for(client, bytes);
    if (!answer)
        sip_fail("the file system has no memory for an answer");
    return answer;
}

static int64_t refuse(sip_handle request, int64_t error) {
    request = answer_in(request, FILES_FAILED_MAX_BYTES);
    sip_msg_st64(request, FILES_FAILED_ERROR_OFFSET, (uint64_t)error);
    return sip_pass_on(client, request, FILES_FAILED, FILES_FAILED_MAX_BYTES);
}

/* ---- names ---- */

static int64_t answer_opened(sip_handle request, int64_t inode) {
    int64_t size = inode < 0 ? inode : fs_size(&fs, (uint32_t)inode);
    if (size < 0)
        return refuse(request, size);
    file = (uint32_t)inode;
    return files_send_opened(client, answer_in(request, FILES_OPENED_MAX_BYTES), (uint64_t)size);
}

static int64_t answer_name(sip_handle request, uint32_t type) {
    char path[FILES_OPEN_MAX_BYTES];
    uint32_t bytes = files_open_get_name_bytes(request); /* the same for all three */
    files_open_read_name(request, 0, path, bytes);
    if (type == FILES_OPEN)
        return answer_opened(request, fs_find(&fs, path, bytes));
    int64_t made = fs_create(&fs, path, bytes, type == FILES_FOLDER);
    int error = fs_sync(&fs);
    if (made >= 0 && error)
        made = error;
    if (type == FILES_CREATE)
        return answer_opened(request, made);
    return made < 0 ? refuse(request, made) : files_send_made(client, request);
}

static int64_t answer_close(sip_handle request) {
    int error = fs_sync(&fs);
    file = 0;
    return error ? refuse(request, error) : files_send_closed(client, request);
}

/* ---- data ---- */

/* A block of the file at a time, from the cache. */
static int64_t read_cached(sip_handle request, uint32_t offset, uint32_t count) {
    sip_handle answer = answer_in(request, count);
    for (uint32_t done = 0; done < count;) {
        uint32_t within = (offset + done) % EXT2_BLOCK_BYTES;
        uint32_t part = EXT2_BLOCK_BYTES - within;
        if (part > count - done)
            part = count - done;
        const uint8_t *page = fs_page(&fs, file, (offset + done) / EXT2_BLOCK_BYTES);
        if (!page)
            return refuse(answer, fs.error);
        files_data_write_data(answer, done, page + within, part);
        done += part;
    }
    return files_send_data(client, answer, count);
}

static int64_t answer_read(sip_handle request) {
    uint64_t offset = files_read_get_offset(request);
    uint32_t count = files_read_get_count(request), block;
    int64_t size = fs_size(&fs, file);
    if (size < 0)
        return refuse(request, size);
    if (offset > (uint64_t)size || count > FILES_DATA_MAX_BYTES)
        return refuse(request, FS_EINVAL);
    if (count > (uint64_t)size - offset)
        count = (uint32_t)((uint64_t)size - offset);
    uint32_t blocks = (count + EXT2_BLOCK_BYTES - 1) / EXT2_BLOCK_BYTES;
    if (count <= CACHED_BYTES || offset % EXT2_BLOCK_BYTES)
        return read_cached(request, (uint32_t)offset, count);
    int64_t run = fs_run(&fs, file, (uint32_t)offset / EXT2_BLOCK_BYTES, blocks, &block);
    if (run < 0)
        return refuse(request, run);
    if (run < blocks || block == 0) /* the file is in pieces here, or has a hole */
        return read_cached(request, (uint32_t)offset, count);
    int error = cache_settle(&fs.cache, block, blocks);
    if (!error)
        error = disk_read_message(&request, block, blocks);
    if (error)
        return refuse(request, error);
    return sip_pass_on(client, request, FILES_DATA, count);
}

/* Through the cache, from *done on, which tells how far it came. Returns 0 or an error. */
static int write_cached(sip_handle request, uint32_t offset, uint32_t *done, uint32_t bytes) {
    while (*done < bytes) {
        uint32_t within = (offset + *done) % EXT2_BLOCK_BYTES;
        uint32_t part = EXT2_BLOCK_BYTES - within;
        if (part > bytes - *done)
            part = bytes - *done;
        uint8_t *page = fs_page_for_writing(&fs, file, (offset + *done) / EXT2_BLOCK_BYTES);
        if (!page)
            return fs.error;
        files_write_read_data(request, *done, page + within, part);
        *done += part;
    }
    return 0;
}

static int64_t answer_write(sip_handle request) {
    uint64_t offset = files_write_get_offset(request);
    uint32_t bytes = files_write_get_data_bytes(request), whole = bytes / EXT2_BLOCK_BYTES, block;
    int64_t run = 0;
    if (offset > FS_MOST_BYTES - FILES_DATA_MAX_BYTES)
        return refuse(request, FS_EFBIG);
    uint32_t at = (uint32_t)offset;
    if (at % EXT2_BLOCK_BYTES == 0 && whole) {
        run = fs_run_for_writing(&fs, file, at / EXT2_BLOCK_BYTES, whole, &block);
        if (run < 0)
            return refuse(request, run);
        if (run <
            whole) /* in pieces, or the disk is full: the cache takes what there is room for */
            run = 0;
    }
    uint32_t done = (uint32_t)run * EXT2_BLOCK_BYTES;
    int error = write_cached(request, at, &done, bytes);
    int grown = done ? fs_grow(&fs, file, at + done) : 0;
    int wrote = run ? disk_write_message(&request, block, (uint32_t)run) : 0;
    if (error || grown || wrote)
        return refuse(request, error ? error : grown ? grown : wrote);
    return sip_pass_on(client, request, FILES_WRITTEN, 0);
}

/* ---- the SIP ---- */

static int64_t answer(const struct sip_message *message) {
    switch (message->type) {
    case FILES_READ:
        return answer_read(message->handle);
    case FILES_WRITE:
        return answer_write(message->handle);
    case FILES_CLOSE:
        return answer_close(message->handle);
    default:
        return answer_name(message->handle, message->type);
    }
}

int sip_main(void) {
    client = sip_channel("files");
    uint32_t blocks = disk_connect("disk");
    int error = fs_mount(&fs, blocks);
    if (error == FS_EINVAL)
        error = fs_make(&fs, blocks, INODES);
    if (error)
        sip_fail("the disk can hold no file system");
    for (;;) {
        struct sip_message message = sip_recv(client);
        if (message.error == ABI_ECLOSED)
            return 0;
        if (message.error)
            sip_fail("the file system could not receive");
        int64_t sent = answer(&message);
        if (sent && sent != ABI_ECLOSED)
            sip_fail("the file system could not answer");
    }
}
