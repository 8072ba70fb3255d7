/*
 * From the lines that guest-kernel/metal.c prints to boots with a result region each. A log comes over a
 * wire and through other programs: each line has its number, the number of all, and a checksum.
 */
#include "metal.h"
#include "domain-config/plan.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "@bulkhead "
#define FORMAT 1u
#define LOG_MOST_BYTES (256u << 20)
#define LINES_MOST (1u << 20) /* of one boot */
#define REGION_MOST_BYTES (16u << 20)
#define AGAIN                                                                                      \
    "send the machine an r over the serial port while it is captured once more, and import both "  \
    "logs"

struct place { /* of a line, for messages */
    const char *name;
    size_t line;
};

struct piece { /* one line whose checksum holds */
    struct place place;
    uint32_t tag, number, total;
    char *text; /* kind and what follows, NUL-terminated, in the file's text */
};

struct pieces {
    struct piece *piece;
    size_t count, room;
    struct place *damaged; /* lines with the mark, but another checksum */
    size_t damaged_count, damaged_room;
};

#define WRONG(place, format, ...)                                                                  \
    error_set(error, -EINVAL, "%s:%zu: " format, (place)->name, (place)->line, ##__VA_ARGS__)

static int no_memory(struct error *error) {
    return error_set(error, -ENOMEM, "out of memory for the log");
}

/* ---- lines ---- */

static int file_read(const char *path, char **text, struct error *error) {
    FILE *from = fopen(path, "re");
    size_t room = 1 << 16, length = 0;
    if (!from)
        return error_set(error, -errno, "%s: cannot read: %s", path, strerror(errno));
    char *bytes = malloc(room + 1);
    while (bytes && (length += fread(bytes + length, 1, room - length, from)) == room &&
           room < LOG_MOST_BYTES) {
        char *more = realloc(bytes, (room *= 2) + 1);
        if (!more)
            free(bytes);
        bytes = more;
    }
    int failed = ferror(from);
    fclose(from);
    if (!bytes)
        return no_memory(error);
    if (failed || length == room) {
        free(bytes);
        return error_set(error, -EINVAL, "%s: %s", path,
                         failed ? "cannot read; is it a file?" : "too large for a log");
    }
    for (size_t i = 0; i < length; i++) /* so that it is a string */
        if (!bytes[i])
            bytes[i] = '?';
    bytes[length] = '\0';
    *text = bytes;
    return 0;
}

static int piece_keep(struct pieces *pieces, const struct piece *piece) {
    if (pieces->count == pieces->room) {
        size_t room = pieces->room ? pieces->room * 2 : 256;
        struct piece *more = realloc(pieces->piece, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        pieces->piece = more;
        pieces->room = room;
    }
    pieces->piece[pieces->count++] = *piece;
    return 0;
}

static int damage_keep(struct pieces *pieces, const struct place *place) {
    if (pieces->damaged_count == pieces->damaged_room) {
        size_t room = pieces->damaged_room ? pieces->damaged_room * 2 : 16;
        struct place *more = realloc(pieces->damaged, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        pieces->damaged = more;
        pieces->damaged_room = room;
    }
    pieces->damaged[pieces->damaged_count++] = *place;
    return 0;
}

/* Takes apart "@bulkhead TAG NUMBER/TOTAL KIND ... #CHECKSUM". Returns 0 when that is not what it is. */
static int piece_parse(char *text, struct piece *piece) {
    size_t length = strlen(text);
    unsigned checksum;
    int head = 0, tail = 0;
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    char *end = strrchr(text, '#');
    if (!end || end - text < 2 || end[-1] != ' ' || strlen(end) != 9 ||
        sscanf(end, "#%8x%n", &checksum, &tail) != 1 || tail != 9)
        return 0;
    if (plan_crc32(0, text, (uint64_t)(end - 1 - text)) != checksum)
        return 0;
    end[-1] = '\0';
    if (sscanf(text, MARK "%8" SCNx32 " %" SCNu32 "/%" SCNu32 " %n", &piece->tag, &piece->number,
               &piece->total, &head) != 3 ||
        !head || !piece->number || piece->number > piece->total || piece->total > LINES_MOST)
        return 0;
    piece->text = text + head;
    return 1;
}

/* All marks in one line of the log: two lines whose newline was lost are two all the same. */
static int line_read(struct pieces *pieces, char *line, const struct place *place) {
    char *at = strstr(line, MARK);
    int status = 0;
    while (at && !status) {
        char *next = strstr(at + 1, MARK);
        struct piece piece = {.place = *place};
        if (next)
            *next = '\0';
        status = piece_parse(at, &piece) ? piece_keep(pieces, &piece) : damage_keep(pieces, place);
        if (next)
            *next = MARK[0];
        at = next;
    }
    return status;
}

static int lines_read(struct pieces *pieces, char *text, const char *name) {
    struct place place = {.name = name};
    int status = 0;
    for (char *line = text, *next; line && !status; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        place.line++;
        status = line_read(pieces, line, &place);
    }
    return status;
}

/* ---- the lines of one boot ---- */

/* Says where the line `number` should have been: after the one before it. */
static int missing(const struct pieces *pieces, const struct piece *const *line, uint32_t number,
                   uint32_t total, const struct piece *any, struct error *error) {
    uint32_t before = number - 1, after = number + 1;
    while (before && !line[before])
        before--;
    while (after <= total && !line[after])
        after++;
    struct place place = before ? line[before]->place : any->place;
    size_t from = before ? place.line : 0;
    for (size_t i = 0; i < pieces->damaged_count; i++) {
        const struct place *damaged = &pieces->damaged[i];
        if (!strcmp(damaged->name, place.name) && damaged->line >= from &&
            (after > total || strcmp(line[after]->place.name, place.name) ||
             damaged->line <= line[after]->place.line))
            return WRONG(damaged,
                         "this line is damaged, its checksum does not hold (line %u of %u of the "
                         "results); " AGAIN,
                         number, total);
    }
    if (after > total)
        return WRONG(&place,
                     "the results end here, with line %u of %u: the log was cut short; " AGAIN,
                     before, total);
    return WRONG(&place, "%s this line, line %u of %u of the results is missing; " AGAIN,
                 before ? "after" : "before", number, total);
}

/*
 * The pieces with the tag of `first`, each at its number; malloc'ed. NULL, and *status, with the one that
 * is missing.
 */
static const struct piece **lines_order(const struct pieces *pieces, const struct piece *first,
                                        int *status, struct error *error) {
    uint32_t total = first->total;
    const struct piece **line = calloc(total + 2u, sizeof(*line));
    *status = line ? 0 : no_memory(error);
    for (size_t i = 0; line && i < pieces->count && !*status; i++) {
        const struct piece *piece = &pieces->piece[i];
        if (piece->tag != first->tag)
            continue;
        const struct piece *known = piece->total == total ? line[piece->number] : first;
        if (known && (piece->total != total || strcmp(known->text, piece->text)))
            *status = WRONG(&piece->place,
                            "this is not of the same run as %s:%zu, though both have the tag %08x; "
                            "import the logs apart",
                            known->place.name, known->place.line, piece->tag);
        else if (!known)
            line[piece->number] = piece;
    }
    for (uint32_t number = 1; line && number <= total && !*status; number++)
        if (!line[number])
            *status = missing(pieces, line, number, total, first, error);
    if (!*status)
        return line;
    free(line);
    return NULL;
}

/* ---- what they say ---- */

struct reader {
    struct metal_boot *boot;
    char *about;
    size_t about_bytes, about_room;
    size_t room;          /* of the region */
    uint64_t *values;     /* where the next value of the last operation goes */
    uint32_t values_left; /* that are still to come */
    int format, ended;
};

static struct result_header *header_of(const struct reader *reader) {
    return (struct result_header *)reader->boot->region;
}

static int text_take(char *to, size_t bytes, const char *text) {
    return (size_t)snprintf(to, bytes, "%s", text) < bytes;
}

static int take_format(struct reader *reader, const char *text) {
    reader->format = !strcmp(text, "1");
    _Static_assert(FORMAT == 1, "as above");
    return reader->format;
}

static int take_loader(struct reader *reader, const char *text) {
    return text_take(reader->boot->machine.loader, METAL_TEXT_BYTES, text);
}
static int take_firmware(struct reader *reader, const char *text) {
    return text_take(reader->boot->machine.firmware, METAL_TEXT_BYTES, text);
}
static int take_vendor(struct reader *reader, const char *text) {
    return text_take(reader->boot->machine.vendor, METAL_TEXT_BYTES, text);
}
static int take_brand(struct reader *reader, const char *text) {
    return text_take(reader->boot->machine.brand, METAL_TEXT_BYTES, text);
}
static int take_hypervisor(struct reader *reader, const char *text) {
    return text_take(reader->boot->machine.hypervisor, METAL_TEXT_BYTES, text);
}

static int take_cpu(struct reader *reader, const char *text) {
    struct metal_machine *machine = &reader->boot->machine;
    char clock[16];
    if (sscanf(text, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNx64 " %15s", &machine->family,
               &machine->model, &machine->stepping, &machine->microcode, clock) != 5)
        return 0;
    machine->steady_clock = !strcmp(clock, "steady");
    return 1;
}

static int take_clock(struct reader *reader, const char *text) {
    (void)text; /* for people: the guest has said what follows from it by the kind of the line */
    reader->boot->machine.counts_instructions = 0;
    return 1;
}
static int take_counter(struct reader *reader, const char *text) {
    (void)text;
    reader->boot->machine.counts_instructions = 1;
    return 1;
}

static int take_about(struct reader *reader, const char *text) {
    size_t length = strlen(text);
    if (reader->about_bytes + length + 1 > reader->about_room) {
        size_t room = (reader->about_room + length + 1) * 2;
        char *more = realloc(reader->about, room);
        if (!more)
            return -ENOMEM;
        reader->about = more;
        reader->about_room = room;
    }
    memcpy(reader->about + reader->about_bytes, text, length + 1);
    reader->about_bytes += length;
    return 1;
}

static int take_state(struct reader *reader, const char *text) {
    static const char *const name[] = {"none", "running", "done", "failed", "unavailable"};
    for (uint32_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        if (!strcmp(text, name[i])) {
            header_of(reader)->state = i;
            return 1;
        }
    return 0;
}

static int take_message(struct reader *reader, const char *text) {
    return text_take(header_of(reader)->message, sizeof(header_of(reader)->message), text);
}

static int take_features(struct reader *reader, const char *text) {
    return sscanf(text, "%" SCNx32 " %" SCNx64, &header_of(reader)->cpu_features,
                  &header_of(reader)->simulated) == 2;
}

static int take_sip(struct reader *reader, const char *text) {
    struct result_header *header = header_of(reader);
    if (header->sip_reports == RESULT_MAX_SIP_REPORTS)
        return 0;
    struct result_sip *sip = &header->sip[header->sip_reports++];
    int kind = 0;
    if (sscanf(text, "%31s %" SCNx64 " %" SCNx64 " %47s %n", sip->sip, &sip->address, &sip->rip,
               sip->function, &kind) != 4 ||
        !kind)
        return 0;
    if (!strcmp(sip->function, "-"))
        sip->function[0] = '\0';
    return text_take(sip->kind, sizeof(sip->kind), text + kind);
}

/* Makes the region larger by that much. Returns 0 when it must not be, or -ENOMEM. */
static int region_grow(struct reader *reader, uint64_t bytes) {
    struct metal_boot *boot = reader->boot;
    if (bytes > REGION_MOST_BYTES - boot->bytes)
        return 0;
    uint8_t *more = realloc(boot->region, boot->bytes + bytes);
    if (!more)
        return -ENOMEM;
    memset(more + boot->bytes, 0, bytes);
    boot->region = more;
    boot->bytes += bytes;
    header_of(reader)->used = boot->bytes;
    return 1;
}

static int take_op(struct reader *reader, const char *text) {
    static const char *const kind_name[] = {"single", "one-way", "round-trip"};
    struct result_op op = {.kind = UINT32_MAX};
    char kind[16];
    if (reader->values_left || header_of(reader)->ops == RESULT_MAX_OPS ||
        sscanf(text, "%31s %15s %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu64 " %" SCNx64, op.name,
               kind, &op.batch, &op.samples, &op.overheads, &op.operations, &op.oracle) != 7 ||
        op.samples > RESULT_MAX_SAMPLES || op.overheads > RESULT_MAX_SAMPLES)
        return 0;
    for (uint32_t i = 0; i < sizeof(kind_name) / sizeof(kind_name[0]); i++)
        if (!strcmp(kind, kind_name[i]))
            op.kind = i;
    op.offset = reader->boot->bytes;
    reader->values_left = op.samples + op.overheads;
    int grown = region_grow(reader, reader->values_left * sizeof(uint64_t));
    if (grown <= 0)
        return grown;
    reader->values = (uint64_t *)(reader->boot->region + op.offset);
    header_of(reader)->op[header_of(reader)->ops++] = op;
    return 1;
}

/* Hexadecimal numbers with a blank before each; exactly as many as `least` to `most`. */
static int numbers_take(const char *text, uint64_t *to, uint32_t least, uint32_t most) {
    uint32_t count = 0;
    while (*text) {
        char *end;
        if (count == most || !isxdigit((unsigned char)*text))
            return 0;
        errno = 0;
        to[count++] = strtoull(text, &end, 16);
        if (errno || (*end && *end != ' '))
            return 0;
        text = *end ? end + 1 : end;
    }
    return count < least ? 0 : (int)count;
}

static int take_events(struct reader *reader, const char *text) {
    struct result_header *header = header_of(reader);
    return header->ops && numbers_take(text, header->op[header->ops - 1].events,
                                       RESULT_EVENTS_NAMED, RESULT_EVENTS_NAMED);
}

static int take_values(struct reader *reader, const char *text) {
    if (!reader->values_left) /* and no room: a line too many */
        return 0;
    int count = numbers_take(text, reader->values, 1, reader->values_left);
    reader->values += count;
    reader->values_left -= (uint32_t)count;
    return count;
}

static int take_end(struct reader *reader, const char *text) {
    reader->ended = !*text && !reader->values_left;
    return reader->ended;
}

static const struct {
    const char *kind;
    int (*take)(struct reader *reader, const char *text); /* 1, or 0: not so; or -ENOMEM */
} kinds[] = {
    {"format", take_format},     {"loader", take_loader}, {"firmware", take_firmware},
    {"vendor", take_vendor},     {"brand", take_brand},   {"hypervisor", take_hypervisor},
    {"cpu", take_cpu},           {"clock", take_clock},   {"counter", take_counter},
    {"about", take_about},       {"state", take_state},   {"message", take_message},
    {"features", take_features}, {"sip", take_sip},       {"op", take_op},
    {"events", take_events},     {"values", take_values}, {"end", take_end},
};

static int piece_take(struct reader *reader, const struct piece *piece, struct error *error) {
    size_t length = strcspn(piece->text, " ");
    const char *rest = piece->text + length + (piece->text[length] == ' ');
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strlen(kinds[i].kind) != length || strncmp(kinds[i].kind, piece->text, length))
            continue;
        int taken = kinds[i].take(reader, rest);
        if (taken < 0)
            return no_memory(error);
        if (taken && (reader->format || kinds[i].take == take_format))
            return 0;
        break;
    }
    return WRONG(&piece->place,
                 "`%.60s` is not what this version reads; import the log with the version that "
                 "made the image",
                 piece->text);
}

static int boot_read(struct metal_boot *boot, const struct piece *const *line, uint32_t total,
                     struct error *error) {
    struct reader reader = {.boot = boot};
    json_error_t why;
    if (region_grow(&(struct reader){.boot = boot}, sizeof(struct result_header)) <= 0)
        return no_memory(error);
    header_of(&reader)->magic = RESULT_MAGIC;
    header_of(&reader)->version = RESULT_VERSION;
    header_of(&reader)->log_offset = sizeof(struct result_header);
    int status = 0;
    for (uint32_t number = 1; number <= total && !status; number++)
        status = piece_take(&reader, line[number], error);
    if (!status && !reader.ended)
        status = WRONG(&line[total]->place, "the results end here without an end; " AGAIN);
    if (!status && reader.about) {
        boot->about = json_loadb(reader.about, reader.about_bytes, JSON_REJECT_DUPLICATES, &why);
        if (!json_is_object(boot->about))
            status = WRONG(&line[1]->place,
                           "what this run says about itself is not JSON (%s); make the image again",
                           boot->about ? "not an object" : why.text);
    }
    free(reader.about);
    return status;
}

/* ---- the log ---- */

static int boots_read(const struct pieces *pieces, struct metal_log *log, struct error *error) {
    int status = 0;
    log->boot = calloc(pieces->count + 1, sizeof(*log->boot));
    if (!log->boot)
        return no_memory(error);
    for (size_t i = 0; i < pieces->count && !status; i++) {
        const struct piece *first = &pieces->piece[i];
        size_t earlier = 0;
        while (earlier < i && pieces->piece[earlier].tag != first->tag)
            earlier++;
        if (earlier < i)
            continue;
        const struct piece **line = lines_order(pieces, first, &status, error);
        if (!line)
            break;
        struct metal_boot *boot = &log->boot[log->count++];
        boot->name = first->place.name;
        boot->line = first->place.line;
        status = boot_read(boot, line, first->total, error);
        free(line);
    }
    if (status || log->count)
        return status;
    if (pieces->damaged_count)
        return WRONG(&pieces->damaged[0],
                     "this line is damaged, its checksum does not hold, and so is every other with "
                     "results; " AGAIN);
    return 0;
}

int metal_log_read(char *const *path, size_t count, struct metal_log *log, struct error *error) {
    struct pieces pieces = {0};
    char **text = calloc(count + 1, sizeof(*text));
    int status = 0;
    *log = (struct metal_log){0};
    if (!text)
        return no_memory(error);
    for (size_t i = 0; i < count && !status; i++) {
        status = file_read(path[i], &text[i], error);
        if (!status && lines_read(&pieces, text[i], path[i]))
            status = no_memory(error);
    }
    if (!status)
        status = boots_read(&pieces, log, error);
    if (!status && !log->count)
        status = error_set(error, -EINVAL,
                           "%s: holds no results; they are lines that begin with " MARK
                           "and come at the end of a run; is it a log of the serial port, and was "
                           "the run over?",
                           path[0]);
    for (size_t i = 0; i < count; i++)
        free(text[i]);
    free(text);
    free(pieces.piece);
    free(pieces.damaged);
    if (status)
        metal_log_free(log);
    return status;
}

void metal_log_free(struct metal_log *log) {
    for (size_t i = 0; i < log->count; i++) {
        json_decref(log->boot[i].about);
        free(log->boot[i].region);
    }
    free(log->boot);
    *log = (struct metal_log){0};
}
