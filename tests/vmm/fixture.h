/* What the fixture guest does, chosen by the seed of its plan. */
#ifndef BULKHEAD_FIXTURE_H
#define BULKHEAD_FIXTURE_H

enum fixture_mode {
    FIXTURE_DONE = 100, /* a proper result */
    FIXTURE_FAILED,     /* state RESULT_FAILED with a message and a SIP report */
    FIXTURE_HANG,       /* says so on the console and never ends */
    FIXTURE_TRIPLE_FAULT,
    FIXTURE_GARBAGE, /* samples far outside the region */
    FIXTURE_UNAVAILABLE,
    FIXTURE_NO_RESULT,    /* ends at once */
    FIXTURE_RUNNING,      /* ends in the middle */
    FIXTURE_UNSTABLE,     /* overheads that differ */
    FIXTURE_FLOOD,        /* writes to the console for ever */
    FIXTURE_STRAY,        /* reads memory that is not there */
    FIXTURE_WRONG_ANSWER, /* the oracle depends on the layout's name */
    FIXTURE_NO_ANSWER,    /* the oracle is 0 */
    FIXTURE_LACKING,      /* its plan asks for PCID and PKU; simulates them when told to */
    FIXTURE_SIMULATING,   /* the same, told to or not */
    FIXTURE_BAD_MASK,     /* simulated what is no mechanism */
};

/* What its CPU has, whatever it runs on. */
#define FIXTURE_FEATURES (CPU_HAS(PGE) | CPU_HAS(SMEP) | CPU_HAS(FXSR) | CPU_HAS(SSE2))

#define FIXTURE_SAMPLES 5u
#define FIXTURE_BATCH 10u
#define FIXTURE_RAW 1020u    /* each sample, and */
#define FIXTURE_OVERHEAD 20u /* each overhead: 100 an operation */

#endif
