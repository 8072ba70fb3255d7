/*
 * What the paper published of operations that are measured here too, as ratios to its SIP-Phys. How
 * they are laid beside ours is report_published.c's.
 */
#ifndef BULKHEAD_PUBLISHED_H
#define BULKHEAD_PUBLISHED_H

#include <stddef.h>
#include <stdint.h>

#define PUBLISHED_SOURCE                                                                           \
    "Aiken, Faehndrich, Hawblitzel, Hunt, Larus: Deconstructing Process Isolation, MSPC 2006"
#define PUBLISHED_MACHINE "an Athlon 64 3000+, 1.8 GHz, in 32-bit mode with PAE"

enum published_origin {
    PUBLISHED_NOT,     /* the paper has no such figure */
    PUBLISHED_BASE,    /* 1, since it is what the others are ratios to */
    PUBLISHED_PRINTED, /* the ratio, or the cycles that it is from, stand in the paper as a number */
    PUBLISHED_CHART,   /* read off a bar chart, within 0.03 */
};

enum published_rung { /* layouts here that are the paper's; published_layout() names them */
    PUBLISHED_UNCHECKED,
    PUBLISHED_SIP_PHYS,
    PUBLISHED_SIP_PAGE,
    PUBLISHED_HIP_R0,
    PUBLISHED_HIP_R0_S,
    PUBLISHED_HIP_R3,
    PUBLISHED_HIP_R3_S,
    PUBLISHED_RUNGS
};

struct published_ours { /* operations here that are laid beside it */
    const char *workload, *op;
    const char *param; /* with this value; NULL: with any params */
    int64_t value;
};
#define PUBLISHED_OURS 3

struct published {
    const char *name, *unit, *kind; /* of one operation, in the paper */
    const char *where;              /* in the paper */
    double base;                    /* of SIP-Phys in that unit; 0: not known */
    struct {
        double ratio;
        enum published_origin origin;
    } bar[PUBLISHED_RUNGS];
    const char *note; /* what differs there, or NULL */
    struct published_ours ours[PUBLISHED_OURS];
};

extern const struct published published[];
extern const size_t published_count;

const char *published_layout(enum published_rung rung);
const char *published_origin_text(enum published_origin origin);

#endif
