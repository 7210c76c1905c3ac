// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
text_release(struct text *text)
{
    free(text->chars);
    memset(text, 0, sizeof(*text));
}

void
text_clear(struct text *text)
{
    text->length = 0;
    if (text->chars != NULL)
        text->chars[0] = '\0';
}

static void
reserve(struct text *text, size_t more)
{
    size_t wanted = text->length + more + 1;

    if (wanted <= text->capacity)
        return;
    size_t capacity = text->capacity < 256 ? 256 : text->capacity * 2;
    if (capacity < wanted)
        capacity = wanted;
    char *grown = realloc(text->chars, capacity);
    if (grown == NULL) {
        fputs("pgdeck: error: out of memory\n", stderr);
        abort();
    }
    text->chars = grown;
    text->capacity = capacity;
}

void
text_append_bytes(struct text *text, const char *bytes, size_t length)
{
    reserve(text, length);
    if (length > 0)
        memcpy(text->chars + text->length, bytes, length);
    text->length += length;
    text->chars[text->length] = '\0';
}

void
text_append(struct text *text, const char *chars)
{
    text_append_bytes(text, chars, strlen(chars));
}

void
text_appendf(struct text *text, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(length >= 0);
    reserve(text, (size_t)length);
    vsnprintf(text->chars + text->length, (size_t)length + 1, format, args);
    va_end(args);
    text->length += (size_t)length;
}

void
text_append_visible(struct text *text, const char *chars)
{
    for (; *chars != '\0'; chars++) {
        unsigned char byte = (unsigned char)*chars;
        if (byte < 0x20 || byte == 0x7f)
            text_appendf(text, "\\x%02x", byte);
        else
            text_append_bytes(text, chars, 1);
    }
}

const char *
text_chars(const struct text *text)
{
    return text->chars == NULL ? "" : text->chars;
}

static size_t
edit_distance(const char *left, const char *right)
{
    enum { MAX_WORD = 64 };
    size_t row[MAX_WORD + 1];
    size_t left_length = strlen(left);
    size_t right_length = strlen(right);

    if (left_length > MAX_WORD || right_length > MAX_WORD)
        return MAX_WORD;
    for (size_t j = 0; j <= right_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= left_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= right_length; j++) {
            size_t best = diagonal + (left[i - 1] != right[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[right_length];
}

const char *
text_nearest(const char *word, const char *const *words)
{
    const char *nearest = NULL;
    size_t limit = strlen(word) / 3 + 1;
    size_t nearest_distance = limit + 1;

    for (; *words != NULL; words++) {
        size_t distance = edit_distance(word, *words);
        if (distance < nearest_distance) {
            nearest = *words;
            nearest_distance = distance;
        }
    }
    return nearest;
}

/* Length of the UTF-8 sequence at chars (at most left bytes), 0 when it is not one. As Unicode
 * wants it (table 3-7): no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static size_t
sequence_length(const unsigned char *chars, size_t left)
{
    unsigned char lead = chars[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;

    if (lead == 0 || lead > 0xF4 || length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (chars[i] < (i == 1 ? low : 0x80) || chars[i] > (i == 1 ? high : 0xBF))
            return 0;
    }
    return length;
}

size_t
text_utf8_length(const char *chars, size_t length)
{
    size_t at = 0;

    while (at < length) {
        size_t step = sequence_length((const unsigned char *)chars + at, length - at);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

const char *
text_behind(const char *chars, const char *start)
{
    size_t length = strlen(start);

    return strncmp(chars, start, length) == 0 ? chars + length : NULL;
}

bool
text_ends_with(const char *chars, const char *end)
{
    size_t length = strlen(chars);

    return length >= strlen(end) && strcmp(chars + length - strlen(end), end) == 0;
}

void
text_append_label(struct text *text, const char *name, const char *value)
{
    size_t length = strlen(value);

    text_appendf(text, "%s=\"", name);
    for (size_t at = 0; at < length;) {
        size_t valid = text_utf8_length(value + at, length - at);
        for (size_t end = at + valid; at < end; at++) {
            if (value[at] == '\n')
                text_append(text, "\\n");
            else
                text_appendf(text, value[at] == '"' || value[at] == '\\' ? "\\%c" : "%c",
                             value[at]);
        }
        if (at < length) { /* no valid UTF-8 */
            text_append(text, "?");
            at++;
        }
    }
    text_append(text, "\"");
}

void
text_append_word(struct text *text, const char *chars)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";

    if (*chars != '\0' && chars[strspn(chars, plain)] == '\0') {
        text_append(text, chars);
        return;
    }
    text_append(text, "'");
    for (; *chars != '\0'; chars++) {
        if (*chars == '\'')
            text_append(text, "'\\''");
        else
            text_append_bytes(text, chars, 1);
    }
    text_append(text, "'");
}
