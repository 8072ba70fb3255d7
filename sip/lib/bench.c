/* Measuring: settings in, report out. The timed loops are in bench.h. */
#include "bench.h"
#include <string.h>

void bench_start(struct bench *bench, const char *name, enum result_kind kind) {
    bench->warmup = (uint32_t)sip_param("warmup", 0);
    bench->batch = (uint32_t)sip_param("batch", 1);
    bench->samples = (uint32_t)sip_param("samples", 1);
    if (bench->batch == 0 || bench->samples == 0 || bench->samples > RESULT_MAX_SAMPLES)
        sip_fail("samples or batch is out of range");
    memset(&bench->report, 0, sizeof bench->report);
    strncpy(bench->report.name, name, sizeof bench->report.name - 1);
    bench->report.kind = kind;
}

void bench_count_start(struct bench *bench) { sip_call_events(&bench->before); }

void bench_count_end(struct bench *bench) {
    struct abi_events again;
    sip_call_events(&bench->after);
    sip_call_events(&again); /* one reading costs the difference of two readings in a row */
    for (uint32_t i = 0; i < RESULT_EVENTS_NAMED; i++)
        bench->report.events[i] +=
            2 * bench->after.count[i] - bench->before.count[i] - again.count[i];
}

void bench_finish(struct bench *bench, uint32_t per_run, uint64_t oracle) {
    bench->report.samples = bench->report.overheads = bench->samples;
    bench->report.values = (uint64_t)(uintptr_t)bench->values;
    bench->report.batch = bench->batch * per_run;
    bench->report.operations = (uint64_t)bench->batch * per_run;
    bench->report.oracle = oracle;
    if (sip_call_report(&bench->report))
        sip_fail("the kernel refused a report");
}
