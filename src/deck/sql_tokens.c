// SPDX-License-Identifier: MIT
#include "deck/sql_tokens.h"

#include <pg_query.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* pg_query_scan answers in protocol buffers: ScanResult {repeated ScanToken tokens = 2},
 * ScanToken {int32 start = 1, end = 2; ...} (pg_query.proto). That much of the format is read here;
 * see protobuf.dev/programming-guides/encoding. */
enum { WIRE_VARINT = 0, WIRE_BYTES = 2, FIELD_TOKENS = 2, FIELD_START = 1, FIELD_END = 2 };

struct cursor {
    const unsigned char *at;
    const unsigned char *end;
};

static bool
read_varint(struct cursor *cursor, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
        unsigned char byte = *cursor->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* One field: its number, and its value and its bytes, if any. */
static bool
read_field(struct cursor *cursor, uint64_t *ret_number, uint64_t *ret_value,
           struct cursor *ret_bytes)
{
    uint64_t tag;

    if (!read_varint(cursor, &tag) || !read_varint(cursor, ret_value))
        return false;
    *ret_number = tag >> 3;
    *ret_bytes = (struct cursor){cursor->at, cursor->at};
    if ((tag & 7) == WIRE_VARINT)
        return true;
    if ((tag & 7) != WIRE_BYTES || *ret_value > (uint64_t)(cursor->end - cursor->at))
        return false;
    *ret_bytes = (struct cursor){cursor->at, cursor->at + *ret_value};
    cursor->at += *ret_value;
    return true;
}

static bool
read_token(struct cursor cursor, size_t length, struct sql_token *ret_token)
{
    struct sql_token token = {0, 0};
    struct cursor bytes;
    uint64_t number;
    uint64_t value;

    while (cursor.at < cursor.end) {
        if (!read_field(&cursor, &number, &value, &bytes))
            return false;
        if (number == FIELD_START)
            token.start = (size_t)value;
        else if (number == FIELD_END)
            token.end = (size_t)value;
    }
    if (token.start >= token.end || token.end > length)
        return false;
    *ret_token = token;
    return true;
}

static bool
is_comment(const char *text, const struct sql_token *token)
{
    return strncmp(text + token->start, "--", 2) == 0 || strncmp(text + token->start, "/*", 2) == 0;
}

static bool
read_tokens(struct arena *arena, struct cursor cursor, struct sql_tokens *tokens)
{
    size_t length = strlen(tokens->text);
    struct cursor bytes;
    uint64_t number;
    uint64_t value;

    while (cursor.at < cursor.end) {
        struct sql_token token;
        if (!read_field(&cursor, &number, &value, &bytes))
            return false;
        if (number != FIELD_TOKENS)
            continue;
        if (!read_token(bytes, length, &token))
            return false;
        if (!is_comment(tokens->text, &token))
            *LIST_ADD(arena, &tokens->list) = token;
    }
    return true;
}

bool
sql_tokens_read(struct arena *arena, const char *text, struct sql_tokens *ret_tokens,
                struct error *err)
{
    struct sql_tokens tokens = {.text = text};
    PgQueryScanResult result = pg_query_scan(text);
    const char *data = result.pbuf.data != NULL ? result.pbuf.data : "";
    struct cursor cursor = {(const unsigned char *)data,
                            (const unsigned char *)data + result.pbuf.len};
    bool is_done = false;

    if (result.error != NULL) {
        error_set(err, ERROR_DECK, "%s", result.error->message);
        err->column = result.error->cursorpos;
    } else if (!read_tokens(arena, cursor, &tokens)) {
        error_set(err, ERROR_INTERNAL, "the answer of libpg_query's scanner cannot be read");
    } else {
        *ret_tokens = tokens;
        is_done = true;
    }
    pg_query_free_scan_result(result);
    return is_done;
}

bool
sql_token_is(const struct sql_tokens *tokens, size_t at, const char *word)
{
    if (at >= tokens->list.count)
        return false;
    const struct sql_token *token = &tokens->list.items[at];
    size_t length = token->end - token->start;

    return length == strlen(word) && strncasecmp(tokens->text + token->start, word, length) == 0;
}

size_t
sql_statement_end(const struct sql_tokens *tokens, size_t first)
{
    int parentheses = 0;
    int blocks = 0; /* BEGIN ATOMIC and, within, CASE: both end with END */

    for (size_t at = first; at < tokens->list.count; at++) {
        if (sql_token_is(tokens, at, "("))
            parentheses++;
        else if (sql_token_is(tokens, at, ")") && parentheses > 0)
            parentheses--;
        else if (sql_token_is(tokens, at, "begin") && sql_token_is(tokens, at + 1, "atomic"))
            blocks++;
        else if (blocks > 0 && sql_token_is(tokens, at, "case"))
            blocks++;
        else if (blocks > 0 && sql_token_is(tokens, at, "end"))
            blocks--;
        else if (parentheses == 0 && blocks == 0 && sql_token_is(tokens, at, ";"))
            return at;
    }
    return tokens->list.count;
}
