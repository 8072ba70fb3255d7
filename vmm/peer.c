/*
 * What the peer program told, as records: its lines are read and checked here, and the values become
 * figures by the same arithmetic as those of our guest. Running it is peer_places.c's business.
 */
#include "peer.h"
#include "cell.h"
#include "peer/linux/cells.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPERIMENT "peer-linux"

const char *peer_layout(const struct peer_place *place, const char *way) {
    static char names[8][CONFIG_NAME_BYTES]; /* one for each way of a place, of which one is used */
    char name[CONFIG_NAME_BYTES];
    size_t i = 0;
    snprintf(name, sizeof(name), "%s%s%s", place->layout, *way ? "-" : "", way);
    while (i < sizeof(names) / sizeof(names[0]) - 1 && names[i][0] && strcmp(names[i], name))
        i++;
    memcpy(names[i], name, sizeof(name));
    return names[i];
}

static void record_start(const struct peer *peer, const struct backend_info *info,
                         const struct peer_cell *cell, uint32_t boot, struct record *record) {
    *record = (struct record){.experiment = EXPERIMENT,
                              .layout = peer_layout(peer->place, cell->way),
                              .workload = cell->workload,
                              .kind = cell->kind,
                              .unit = peer->place->unit,
                              .backend = peer->place->backend,
                              .boot = boot,
                              .status = "ok",
                              .safety = "none"};
    snprintf(record->op, sizeof(record->op), "%s", cell->op);
    for (size_t i = 0; i < PEER_PARAMS && cell->param[i].name; i++) {
        struct config_param *param = &record->params.item[record->params.count++];
        snprintf(param->name, sizeof(param->name), "%s", cell->param[i].name);
        param->value = cell->param[i].value;
    }
    snprintf(record->trust, sizeof(record->trust), "%s", backend_trust_name(info->trust));
    if (gethostname(record->host, sizeof(record->host)))
        record->host[0] = '\0';
    record->host[sizeof(record->host) - 1] = '\0';
}

static void record_refuse(struct record *record, const char *reason) {
    record->status = "unavailable";
    snprintf(record->reason, sizeof(record->reason), "%s", reason);
}

void peer_boot_free(struct peer_boot *boot) {
    for (size_t i = 0; i < boot->count; i++)
        free(boot->record[i].samples);
    free(boot->record);
    json_decref(boot->system);
    *boot = (struct peer_boot){0};
}

int peer_boot_unavailable(const struct peer *peer, const struct backend_info *info,
                          const char *reason, struct peer_boot *boot) {
    *boot = (struct peer_boot){.record = calloc(PEER_CELLS, sizeof(struct record))};
    if (!boot->record)
        return -ENOMEM;
    for (; boot->count < PEER_CELLS; boot->count++) {
        record_start(peer, info, &peer_cells[boot->count], 0, &boot->record[boot->count]);
        record_refuse(&boot->record[boot->count], reason);
    }
    return 0;
}

/* ---- lines ---- */

static int values_read(const json_t *list, uint64_t *values) {
    size_t count = json_array_size(list);
    if (!count || count > PEER_MAX_SAMPLES)
        return -EPROTO;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return -EPROTO;
        values[i] = (uint64_t)json_integer_value(value);
    }
    return (int)count;
}

static int figures_read(const json_t *line, struct record *record, struct error *error) {
    static const char wrong[] = "the peer program told something else than it should";
    uint64_t values[2 * PEER_MAX_SAMPLES];
    const char *oracle = json_string_value(json_object_get(line, "oracle"));
    json_int_t operations = json_integer_value(json_object_get(line, "operations"));
    int samples = values_read(json_object_get(line, "samples"), values);
    int overheads =
        samples < 0 ? samples : values_read(json_object_get(line, "overheads"), values + samples);
    if (overheads < 0 || !oracle || operations < 1 || operations > UINT32_MAX)
        return error_set(error, -EPROTO, "%s", wrong);
    struct result_op op = {.batch = (uint32_t)operations,
                           .samples = (uint32_t)samples,
                           .overheads = (uint32_t)overheads};
    struct cell_figures figures;
    int status = cell_figures(&op, values, 0, &figures, error);
    if (status)
        return status;
    record->samples = figures.sample;
    record->n = op.samples;
    record->overhead = figures.overhead;
    record->oracle = strtoull(oracle, NULL, 16);
    return 0;
}

struct reading {
    const struct peer *peer;
    const struct backend_info *info;
    uint32_t number;
    struct peer_boot *boot;
    int done;
};

/* What all figures of a boot say: which Linux. */
static void note_write(const struct reading *reading, struct record *record) {
    const char *kernel = json_string_value(json_object_get(reading->boot->system, "kernel"));
    const struct peer *peer = reading->peer;
    snprintf(record->note, sizeof(record->note), "Linux %.80s%s%s; events are not counted",
             kernel ? kernel : "unknown", peer->place->is_guest ? ", mitigations=" : "",
             peer->place->is_guest ? peer->mitigations : "");
}

static int cell_read(struct reading *reading, const json_t *line, struct error *error) {
    struct peer_boot *boot = reading->boot;
    json_int_t number = json_integer_value(json_object_get(line, "cell"));
    const char *reason = json_string_value(json_object_get(line, "unavailable"));
    if (!boot->system || number != (json_int_t)boot->count || boot->count == PEER_CELLS)
        return error_set(error, -EPROTO, "the peer program told its cells out of order");
    struct record *record = &boot->record[boot->count];
    record_start(reading->peer, reading->info, &peer_cells[number], reading->number, record);
    int status = 0;
    if (reason)
        record_refuse(record, reason);
    else
        status = figures_read(line, record, error);
    note_write(reading, record);
    boot->count += !status;
    return status;
}

static int line_read(struct reading *reading, json_t *line, struct error *error) {
    const char *failed = json_string_value(json_object_get(line, "failed"));
    if (failed)
        return error_set(error, -EIO, "the peer program failed: %s", failed);
    if (json_object_get(line, "cell"))
        return cell_read(reading, line, error);
    if (json_object_get(line, "done")) {
        reading->done = reading->boot->count == PEER_CELLS;
        return 0;
    }
    if (json_integer_value(json_object_get(line, "cells")) != (json_int_t)PEER_CELLS ||
        reading->boot->system)
        return error_set(error, -EPROTO, "the peer program is of another build than this command");
    reading->boot->system = json_incref(line);
    return 0;
}

static int output_read(struct reading *reading, int fd, struct error *error) {
    FILE *from = fdopen(dup(fd), "r");
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int status = 0;
    if (!from)
        return error_set(error, -errno, "cannot read what the peer told: %s", strerror(errno));
    rewind(from);
    while (!status && !reading->done && (length = getline(&text, &room, from)) > 0) {
        json_t *line = json_loadb(text, (size_t)length, 0, NULL);
        if (!line)
            break; /* torn: it ended while it wrote */
        status = line_read(reading, line, error);
        json_decref(line);
    }
    free(text);
    fclose(from);
    return status;
}

int peer_boot(const struct peer *peer, const struct backend_info *info, uint32_t number,
              struct peer_boot *boot, struct error *error) {
    struct reading reading = {.peer = peer, .info = info, .number = number, .boot = boot};
    struct peer_ran ran = {0};
    *boot = (struct peer_boot){.record = calloc(PEER_CELLS, sizeof(struct record))};
    int output = memfd_create("bulkhead-peer", MFD_CLOEXEC);
    int status = !boot->record ? error_set(error, -ENOMEM, "out of memory")
                 : output < 0  ? error_set(error, -errno, "memfd_create: %s", strerror(errno))
                               : peer->place->run(peer, output, &ran, error);
    if (!status)
        status = output_read(&reading, output, error);
    if (!status && !reading.done)
        status = error_set(error, -EIO, "the peer ended early: %s", ran.how);
    if (!status && ran.command)
        json_object_set_new(boot->system, "command", json_string(ran.command));
    if (output >= 0)
        close(output);
    free(ran.command);
    if (status)
        peer_boot_free(boot);
    return status;
}
