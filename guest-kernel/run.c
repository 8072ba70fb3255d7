/* How a run ends, and the memory helpers that the compiler may call. */
#include "kernel.h"
#include "multiboot.h"
#include "page.h"
#include "x86.h"

struct result_header *kernel_result;
const struct plan_header *kernel_plan;

static void run_end_list(enum result_state state, const char *format, va_list list)
    __attribute__((noreturn));

static void run_end_list(enum result_state state, const char *format, va_list list) {
    char text[sizeof kernel_result->message];
    format_list(text, sizeof text, format, list);
    if (text[0] && !multiboot_started()) /* whose summary has it */
        console_print("bulkhead: %s\n", text);
    if (kernel_result) {
        if (!kernel_result->message[0])
            memcpy(kernel_result->message, text, sizeof text);
        kernel_result->free_pages_after = page_free_count();
        __atomic_store_n(&kernel_result->state, (uint32_t)state, __ATOMIC_SEQ_CST);
    }
    if (multiboot_started())
        metal_report(state, kernel_result ? kernel_result->message : text);
    console_flush();
    x86_out32(PORT_DOORBELL, PHASE_END);
    x86_out32(PORT_EXIT, state == RESULT_DONE ? 0x10 : 0x11);
    x86_out16(PORT_BOCHS, BOCHS_OPEN);
    x86_out16(PORT_BOCHS, BOCHS_STOP);
    if (multiboot_started())
        metal_halt();
    for (;;)
        __asm__ volatile("cli; hlt");
}

void run_end(enum result_state state, const char *format, ...) {
    va_list list;
    va_start(list, format);
    run_end_list(state, format, list);
}

void panic(const char *file, int line, const char *format, ...) {
    char text[200];
    va_list list;
    va_start(list, format);
    format_list(text, sizeof text, format, list);
    run_end(RESULT_FAILED, "kernel panic at %s:%d: %s", file, line, text);
}

void *memset(void *to, int byte, size_t bytes) {
    uint64_t words = bytes / 8;
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101ull;
    void *at = to;
    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    bytes &= 7;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
    return to;
}

void *memcpy(void *to, const void *from, size_t bytes) {
    uint64_t words = bytes / 8;
    void *at = to;
    __asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words)::"memory");
    bytes &= 7;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes)::"memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
    const uint8_t *left = a, *right = b;
    for (; bytes; bytes--, left++, right++)
        if (*left != *right)
            return *left - *right;
    return 0;
}

size_t strlen(const char *text) {
    size_t bytes = 0;
    while (text[bytes])
        bytes++;
    return bytes;
}

bool string_equal(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}
