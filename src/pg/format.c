// SPDX-License-Identifier: MIT
#include "pg/format.h"

#include "base/text.h"
#include "pg/connection.h"

#include <assert.h>
#include <stdarg.h>

char *
pg_format(struct arena *arena, const char *format, ...)
{
    AUTO_TEXT text = {0};
    va_list args;

    va_start(args, format);
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '%') {
            text_append_bytes(&text, at, 1);
            continue;
        }
        switch (*++at) {
        case 'I':
            text_append(&text, pg_identifier(arena, va_arg(args, const char *)));
            break;
        case 'L':
            text_append(&text, pg_literal(arena, va_arg(args, const char *)));
            break;
        case 's':
            text_append(&text, va_arg(args, const char *));
            break;
        case 'd':
            text_appendf(&text, "%d", va_arg(args, int));
            break;
        default:
            assert(*at == '%');
            text_append(&text, "%");
        }
    }
    va_end(args);
    return arena_strndup(arena, text_chars(&text), text.length);
}
