/* Debian builds LLVM's libunwind against glibc, whose checked fprintf musl does not have. */
#include <stdarg.h>
#include <stdio.h>

int __fprintf_chk(FILE *stream, int flag, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vfprintf(stream, format, arguments);
    va_end(arguments);
    (void)flag;
    return written;
}
