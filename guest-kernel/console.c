/*
 * The console: a 16550 at PORT_CONSOLE and, once there is one, the log in the result region. On a bare
 * machine the port may be missing, and the screen takes part.
 */
#include "kernel.h"
#include "screen.h"
#include "x86.h"

static struct result_header *console_result;
static bool console_bare, console_port_absent;

enum { /* registers of the 16550, from PORT_CONSOLE on */
    UART_DATA = 0,
    UART_INTERRUPTS = 1,
    UART_FIFO = 2,
    UART_LINE = 3, /* bit 7: the first two are the divisor of 115200 baud */
    UART_MODEM = 4,
    UART_STATUS = 5,
    UART_SCRATCH = 7,
};

void console_start(struct result_header *result) { console_result = result; }

/* Until the line status has the bit; a machine without a 16550 says 0xff. */
static void console_wait(uint8_t bit) {
    for (int tries = 0; tries < 100000; tries++)
        if (x86_in8(PORT_CONSOLE + UART_STATUS) & bit)
            break;
}

void console_flush(void) { console_wait(0x40); /* the last bit has left the shifter */ }

static void console_byte(char byte) {
    console_wait(0x20); /* room for a byte */
    x86_out8(PORT_CONSOLE, (uint8_t)byte);
}

static bool uart_remembers(uint8_t byte) {
    x86_out8(PORT_CONSOLE + UART_SCRATCH, byte);
    return x86_in8(PORT_CONSOLE + UART_SCRATCH) == byte;
}

void console_start_port(void) {
    console_bare = true;
    console_port_absent = !uart_remembers(0x5a) || !uart_remembers(0xa5);
    if (console_port_absent)
        return;
    x86_out8(PORT_CONSOLE + UART_INTERRUPTS, 0);
    x86_out8(PORT_CONSOLE + UART_LINE, 0x80);
    x86_out8(PORT_CONSOLE + UART_DATA, 1);
    x86_out8(PORT_CONSOLE + UART_INTERRUPTS, 0);
    x86_out8(PORT_CONSOLE + UART_LINE, 3);
    x86_out8(PORT_CONSOLE + UART_FIFO, 7);  /* on, and emptied */
    x86_out8(PORT_CONSOLE + UART_MODEM, 3); /* ready to send and to receive */
}

bool console_has_port(void) { return !console_port_absent; }

void console_port_write(const char *text, uint64_t bytes) {
    for (uint64_t i = 0; i < bytes && !console_port_absent; i++) {
        if (text[i] == '\n')
            console_byte('\r');
        console_byte(text[i]);
    }
}

int console_port_read(void) {
    if (console_port_absent || !(x86_in8(PORT_CONSOLE + UART_STATUS) & 1))
        return -1;
    return x86_in8(PORT_CONSOLE + UART_DATA);
}

static void console_write_bare(const char *text, uint64_t bytes) {
    console_port_write(text, bytes);
    screen_write(text, bytes);
}

void console_write(const char *text, uint64_t bytes) {
    if (console_bare) {
        console_write_bare(text, bytes);
        return;
    }
    for (uint64_t i = 0; i < bytes; i++) {
        console_byte(text[i]);
        if (console_result && console_result->log_bytes < RESULT_LOG_BYTES) {
            char *log = (char *)console_result + console_result->log_offset;
            log[console_result->log_bytes++] = text[i];
        }
    }
}

struct output {
    char *at, *end;
};

static void output_byte(struct output *out, char byte) {
    if (out->at < out->end)
        *out->at++ = byte;
}

static void output_number(struct output *out, uint64_t value, unsigned base, int width, char pad) {
    char digits[24];
    int count = 0;
    do
        digits[count++] = "0123456789abcdef"[value % base];
    while (value /= base);
    for (; width > count; width--)
        output_byte(out, pad);
    while (count)
        output_byte(out, digits[--count]);
}

void format_list(char *to, size_t room, const char *format, va_list list) {
    struct output out = {to, to + room - 1};
    for (; *format; format++) {
        if (*format != '%') {
            output_byte(&out, *format);
            continue;
        }
        format++;
        char pad = *format == '0' ? '0' : ' ';
        int width = 0;
        while (*format >= '0' && *format <= '9')
            width = width * 10 + *format++ - '0';
        bool is_long = *format == 'l';
        if (is_long)
            format++;
        if (*format == 's') {
            const char *text = va_arg(list, const char *);
            for (; *text; text++, width--)
                output_byte(&out, *text);
            for (; width > 0; width--)
                output_byte(&out, ' ');
        } else if (*format == 'c') {
            output_byte(&out, (char)va_arg(list, int));
        } else if (*format == 'd') {
            int64_t value = is_long ? va_arg(list, int64_t) : va_arg(list, int);
            if (value < 0)
                output_byte(&out, '-');
            output_number(&out, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, width, pad);
        } else if (*format == 'u' || *format == 'x' || *format == 'p') {
            uint64_t value =
                is_long || *format == 'p' ? va_arg(list, uint64_t) : va_arg(list, unsigned);
            output_number(&out, value, *format == 'u' ? 10 : 16, width, pad);
        } else {
            output_byte(&out, *format);
        }
    }
    *out.at = 0;
}

void format_text(char *to, size_t room, const char *format, ...) {
    va_list list;
    va_start(list, format);
    format_list(to, room, format, list);
    va_end(list);
}

void console_print(const char *format, ...) {
    char text[512];
    va_list list;
    va_start(list, format);
    format_list(text, sizeof text, format, list);
    va_end(list);
    console_write(text, strlen(text));
}
