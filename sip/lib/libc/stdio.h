/*
 * <stdio.h> for SIPs: formatted text to memory and to the console. There are no files, and the two
 * streams are both the console. Formats know d i u x X o c s p and %, all flags, widths and precisions
 * and the lengths hh h l ll j z t; anything else, floating point too, is EINVAL and a result of -1.
 */
#ifndef BULKHEAD_LIBC_STDIO_H
#define BULKHEAD_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

typedef const struct libc_stream FILE;
extern FILE libc_console;
#define stdout (&libc_console)
#define stderr (&libc_console)

#define LIBC_FORMAT(text, values) __attribute__((format(printf, text, values)))
int printf(const char *format, ...) LIBC_FORMAT(1, 2);
int fprintf(FILE *to, const char *format, ...) LIBC_FORMAT(2, 3);
int sprintf(char *to, const char *format, ...) LIBC_FORMAT(2, 3);
int snprintf(char *to, size_t room, const char *format, ...) LIBC_FORMAT(3, 4);
int vprintf(const char *format, va_list values) LIBC_FORMAT(1, 0);
int vfprintf(FILE *to, const char *format, va_list values) LIBC_FORMAT(2, 0);
int vsprintf(char *to, const char *format, va_list values) LIBC_FORMAT(2, 0);
int vsnprintf(char *to, size_t room, const char *format, va_list values) LIBC_FORMAT(3, 0);

int puts(const char *text);
int putchar(int byte);
int fputs(const char *text, FILE *to);
int fputc(int byte, FILE *to);
size_t fwrite(const void *from, size_t bytes, size_t count, FILE *to);
int fflush(FILE *to); /* does nothing: output is not kept back */

#endif
