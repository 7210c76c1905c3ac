/* The tokens of an SQL text, found with PostgreSQL's own scanner (libpg_query). Comments are left
 * out. Offsets in bytes. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

struct sql_token {
    size_t start;
    size_t end; /* behind its last byte */
};

struct sql_tokens {
    const char *text;
    LIST_OF(struct sql_token) list;
};

/* On failure err has the message, and err->column the character (from 1) where it is. */
bool sql_tokens_read(struct arena *arena, const char *text, struct sql_tokens *ret_tokens,
                     struct error *err) MUST_CHECK;
/* Whether token at (which may be beyond the end) is that keyword or sign. A quoted name is not. */
bool sql_token_is(const struct sql_tokens *tokens, size_t at, const char *word);
/* The token behind the last one of the statement that begins with token first: its semicolon or
 * the end. Semicolons in parentheses and in BEGIN ATOMIC ... END are part of it. */
size_t sql_statement_end(const struct sql_tokens *tokens, size_t first);
