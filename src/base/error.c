// SPDX-License-Identifier: MIT
#define ERROR_IMPLEMENTATION
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
error_clear(struct error *err)
{
    memset(err, 0, sizeof(*err));
}

bool
error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;

    error_clear(err);
    err->code = code;
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return false;
}

bool
error_detail(struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(err->detail, sizeof(err->detail), format, args);
    va_end(args);
    return false;
}

bool
error_hint(struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(err->hint, sizeof(err->hint), format, args);
    va_end(args);
    return false;
}

bool
error_place(struct error *err, struct place place)
{
    snprintf(err->file, sizeof(err->file), "%s", place.file ? place.file : "");
    err->line = place.line;
    err->column = place.column;
    return false;
}

bool
error_wrap(struct error *err, const char *format, ...)
{
    char inner[sizeof(err->message)];
    va_list args;
    int length;

    memcpy(inner, err->message, sizeof(inner));
    va_start(args, format);
    length = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof(err->message))
        snprintf(err->message + length, sizeof(err->message) - (size_t)length, ": %s", inner);
    return false;
}

bool
error_errno(struct error *err, const char *format, ...)
{
    int cause = errno;
    va_list args;

    error_clear(err);
    err->code = (cause == ENOSPC || cause == EDQUOT) ? ERROR_DISK_FULL : ERROR_FILE;
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    size_t length = strlen(err->message);
    snprintf(err->message + length, sizeof(err->message) - length, ": %s", strerror(cause));
    return false;
}

int
error_exit_status(enum error_code code)
{
    static const int statuses[] = {
        [ERROR_NONE] = 0,
        [ERROR_INTERNAL] = 1,
        [ERROR_DECK] = 10,
        [ERROR_UNREACHABLE] = 11,
        [ERROR_AUTHENTICATION] = 12,
        [ERROR_NO_DATABASE] = 13,
        [ERROR_SERVER_VERSION] = 14,
        [ERROR_PRIVILEGE] = 15,
        [ERROR_DISK_FULL] = 16,
        [ERROR_LOCKED] = 17,
        [ERROR_CONNECTION_LOST] = 18,
        [ERROR_STALE_PLAN] = 19,
        [ERROR_SQL] = 20,
        [ERROR_FILE] = 21,
        [ERROR_REFUSED] = 22,
        [ERROR_TAKEN_BACK] = 23,
        [ERROR_GATE] = 24,
        [ERROR_USAGE] = 64,
        [ERROR_INTERRUPTED] = 130,
    };
    return statuses[code];
}
