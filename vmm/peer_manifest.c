/* What the manifest of a peer's set says, in the words of run_manifest.c where they are the same. */
#include "peer.h"
#include "peer/linux/cells.h"
#include <sha256.h>
#include <string.h>

static void name_add_once(json_t *names, const char *name) {
    const json_t *known;
    size_t i;
    json_array_foreach(names, i, known) {
        if (!strcmp(json_string_value(known), name))
            return;
    }
    json_array_append_new(names, json_string(name));
}

static void image_add(json_t *images, const char *path) {
    char hash[SHA256_DIGEST_STRING_LENGTH];
    const char *slash = strrchr(path, '/');
    json_object_set_new(images, slash ? slash + 1 : path,
                        json_string(SHA256File(path, hash) ? hash : "unreadable"));
}

json_t *peer_manifest(const struct peer *peer, const struct backend_info *info, uint32_t boots) {
    json_t *layouts = json_array(), *workloads = json_array(), *images = json_object();
    for (size_t i = 0; i < PEER_CELLS; i++) {
        name_add_once(layouts, peer_layout(peer->place, peer_cells[i].way));
        name_add_once(workloads, peer_cells[i].workload);
    }
    image_add(images, peer->program);
    if (peer->place->is_guest && peer->kernel)
        image_add(images, peer->kernel);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:I, s:i, s:i, s:i, s:i, s:o, s:o, "
        "s:o, s:{s:s, s:s, s:s}, s:o}",
        "experiment", "peer-linux", "backend", peer->place->backend, "backend_version",
        info->version, "unit", peer->place->unit, "trust", backend_trust_name(info->trust),
        "commit", BULKHEAD_COMMIT, "seed", (json_int_t)peer->seed, "repeats", (int)boots, "cells",
        (json_int_t)(PEER_CELLS * boots), "warmup", (int)peer->warmup, "batch", (int)peer->batch,
        "samples", (int)peer->samples, "timeout_s", (int)peer->timeout_s, "layouts", layouts,
        "workloads", workloads, "images", images, "build", "version", BULKHEAD_VERSION, "compiler",
        BULKHEAD_COMPILER, "flags", BULKHEAD_FLAGS, "host", manifest_host());
}
