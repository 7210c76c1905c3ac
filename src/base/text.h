/* A growing text on the heap. Zero-initialised is empty: `AUTO_TEXT text = {0};`
 * text_chars never returns NULL. Out of memory ends the process, as in an arena. */
#pragma once
#include "base/error.h"
#include <stddef.h>

struct text {
    char *chars;
    size_t length;
    size_t capacity;
};

void text_release(struct text *text);
#define AUTO_TEXT __attribute__((cleanup(text_release))) struct text
void text_clear(struct text *text);
void text_append(struct text *text, const char *chars);
void text_append_bytes(struct text *text, const char *bytes, size_t length);
void text_appendf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
/* Appends with control characters as \\xNN, so that a name can neither move the cursor of a
 * terminal nor begin a line of its own. */
void text_append_visible(struct text *text, const char *chars);
const char *text_chars(const struct text *text);

/* Appends as one word of a line for the shell, in quotes where it needs them. */
void text_append_word(struct text *text, const char *chars);
/* Appends name="value" as a label of Prometheus' text format; what is no UTF-8 becomes ?. */
void text_append_label(struct text *text, const char *name, const char *value);

/* What comes behind `start`, with which chars begins; NULL: it does not begin with that. */
const char *text_behind(const char *chars, const char *start);
bool text_ends_with(const char *chars, const char *end);

/* Bytes of chars, up to length, that are valid UTF-8 without NUL: length when all of it is. */
size_t text_utf8_length(const char *chars, size_t length);

/* The member of words (NULL-terminated) nearest to word by edit distance (Levenshtein), or NULL
 * when none is near enough to be a likely slip of the finger (more than 1/3 of its length). */
const char *text_nearest(const char *word, const char *const *words);
