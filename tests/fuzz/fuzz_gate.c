/* Fuzzes the gate: whatever a module's bytes, it decides without a wrong access and says why not. */
#include <stdlib.h>

#include "sip/toolchain/gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static struct gate_rules rules;
    struct gate_result result;
    if (rules.count == 0 && gate_rules_read("import yield () -> i64\nexport sip_main () -> i32\n",
                                            &rules, result.message, sizeof(result.message)) != 0)
        abort();
    if (gate_check(bytes, length, &rules, &result) != 0 && !result.message[0])
        abort();
    return 0;
}
