/* What this host can run: each backend's verdict, for people and as JSON. */
#ifndef BULKHEAD_DOCTOR_H
#define BULKHEAD_DOCTOR_H

#include "backend.h"
#include <jansson.h>
#include <stdio.h>

struct diagnosis { /* of one backend */
    const struct backend *backend;
    struct backend_info info;
};

/* One line: the name, whether it is usable, and what its clock is worth or why it is not. */
void doctor_line(const struct diagnosis *diagnosis, FILE *to);
/* What the probe guest measured, and the CPU features that a guest sees. */
void doctor_details(const struct diagnosis *diagnosis, FILE *to);
/* All of it, owned by the caller; NULL when out of memory. */
json_t *doctor_json(const struct diagnosis *diagnosis);

#endif
