// SPDX-License-Identifier: MIT
#include "pool/sql.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

/* The words that matter here. */
enum keyword {
    WORD_NONE,
    WORD_ALL,
    WORD_AUTHORIZATION,
    WORD_BEGIN,
    WORD_CALL,
    WORD_CLOSE,
    WORD_CONSTRAINTS,
    WORD_CREATE,
    WORD_DEALLOCATE,
    WORD_DISCARD,
    WORD_DO,
    WORD_DROP,
    WORD_EXECUTE,
    WORD_HOLD,
    WORD_INSERT,
    WORD_INTO,
    WORD_LISTEN,
    WORD_LOAD,
    WORD_LOCAL,
    WORD_MERGE,
    WORD_PG_SETTINGS,
    WORD_PREPARE,
    WORD_RESET,
    WORD_SESSION,
    WORD_SET,
    WORD_SET_CONFIG,
    WORD_START,
    WORD_TEMP,
    WORD_TEMPORARY,
    WORD_TRANSACTION,
    WORD_TRUE,
    WORD_UNLISTEN,
    WORDS
};

enum { KEYWORD_LETTERS_MAX = 13, KEYWORDS_OF_A_LENGTH = 7 };

/* By their number of letters; a row ends with NULL. */
static const struct {
    const char *text;
    uint8_t word;
} keywords[KEYWORD_LETTERS_MAX + 1][KEYWORDS_OF_A_LENGTH + 1] = {
    [2] = {{"do", WORD_DO}},
    [3] = {{"all", WORD_ALL}, {"set", WORD_SET}},
    [4] = {{"call", WORD_CALL},
           {"drop", WORD_DROP},
           {"hold", WORD_HOLD},
           {"into", WORD_INTO},
           {"load", WORD_LOAD},
           {"temp", WORD_TEMP},
           {"true", WORD_TRUE}},
    [5] = {{"begin", WORD_BEGIN},
           {"close", WORD_CLOSE},
           {"local", WORD_LOCAL},
           {"merge", WORD_MERGE},
           {"reset", WORD_RESET},
           {"start", WORD_START}},
    [6] = {{"create", WORD_CREATE}, {"insert", WORD_INSERT}, {"listen", WORD_LISTEN}},
    [7] = {{"discard", WORD_DISCARD},
           {"execute", WORD_EXECUTE},
           {"prepare", WORD_PREPARE},
           {"session", WORD_SESSION}},
    [8] = {{"unlisten", WORD_UNLISTEN}},
    [9] = {{"temporary", WORD_TEMPORARY}},
    [10] = {{"deallocate", WORD_DEALLOCATE}, {"set_config", WORD_SET_CONFIG}},
    [11] = {{"constraints", WORD_CONSTRAINTS},
            {"pg_settings", WORD_PG_SETTINGS},
            {"transaction", WORD_TRANSACTION}},
    [13] = {{"authorization", WORD_AUTHORIZATION}},
};

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_OTHER };

struct token {
    struct pool_sql_span span; /* of a word or a string: without its quotes */
    uint8_t kind;              /* enum token_kind */
    uint8_t word;              /* enum keyword, also in quotes */
    char other;
    bool is_quoted;  /* a word in double quotes */
    bool is_unicode; /* U&"..." */
};

struct scanner {
    const char *at, *end;
    bool has_backslashes;
    bool is_behind_escapes; /* behind E'...': a literal on the next line goes on with it */
};

/* --- tokens ------------------------------------------------------------------------------- */

static bool
is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

static bool
is_word_start(char letter)
{
    return ((letter | 32) >= 'a' && (letter | 32) <= 'z') || letter == '_' ||
           (unsigned char)letter >= 128;
}

static bool
is_word_part(char letter)
{
    return is_word_start(letter) || is_digit(letter) || letter == '$';
}

static bool
is_space(char letter)
{
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

static bool
is_at(const struct scanner *scanner, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(scanner->end - scanner->at) >= length && memcmp(scanner->at, text, length) == 0;
}

static void
skip_comment(struct scanner *scanner)
{
    int depth = 0;

    do {
        if (is_at(scanner, "/*"))
            depth++, scanner->at += 2;
        else if (is_at(scanner, "*/"))
            depth--, scanner->at += 2;
        else
            scanner->at++;
    } while (depth > 0 && scanner->at < scanner->end);
}

static void
skip_comments(struct scanner *scanner)
{
    while (scanner->at < scanner->end) {
        if (is_space(*scanner->at)) {
            scanner->at++;
        } else if (is_at(scanner, "--")) {
            while (scanner->at < scanner->end && *scanner->at != '\n' && *scanner->at != '\r')
                scanner->at++;
        } else if (is_at(scanner, "/*")) {
            skip_comment(scanner);
        } else {
            return;
        }
    }
}

static void
skip_space(struct scanner *scanner)
{
    const char *at = scanner->at, *end = scanner->end;

    while (at < end && is_space(*at))
        at++;
    scanner->at = at;
    if (at < end && (*at == '-' || *at == '/'))
        skip_comments(scanner);
}

/* At the opening quote. */
static struct pool_sql_span
read_quoted(struct scanner *scanner, bool has_backslashes)
{
    char quote = *scanner->at++;
    const char *start = scanner->at;

    while (scanner->at < scanner->end) {
        if (*scanner->at == '\\' && has_backslashes && scanner->at + 1 < scanner->end) {
            scanner->at += 2;
        } else if (*scanner->at != quote) {
            scanner->at++;
        } else if (scanner->at + 1 < scanner->end && scanner->at[1] == quote) {
            scanner->at += 2;
        } else {
            break;
        }
    }
    struct pool_sql_span span = {start, (size_t)(scanner->at - start)};
    if (scanner->at < scanner->end)
        scanner->at++;
    return span;
}

/* $tag$ ... $tag$; false: it is only a dollar. */
static bool
skip_dollars(struct scanner *scanner)
{
    const char *at = scanner->at + 1;

    while (at < scanner->end && is_word_part(*at) && *at != '$')
        at++;
    if (at >= scanner->end || *at != '$' || isdigit((unsigned char)scanner->at[1]))
        return false;
    size_t length = (size_t)(at + 1 - scanner->at);
    const char *found = memmem(at + 1, (size_t)(scanner->end - at - 1), scanner->at, length);
    scanner->at = found == NULL ? scanner->end : found + length;
    return true;
}

static struct token
read_word(struct scanner *scanner)
{
    struct token token = {.kind = TOKEN_WORD, .span.at = scanner->at};
    const char *at = scanner->at, *end = scanner->end;

    while (at < end && is_word_part(*at))
        at++;
    scanner->at = at;
    token.span.length = (size_t)(scanner->at - token.span.at);
    /* E'...' takes backslashes; N, B and X do not matter here. */
    if (token.span.length == 1 && scanner->at < scanner->end && *scanner->at == '\'') {
        scanner->is_behind_escapes = (token.span.at[0] | 32) == 'e';
        token.kind = TOKEN_STRING;
        token.span = read_quoted(scanner, scanner->has_backslashes || scanner->is_behind_escapes);
    } else if (token.span.length == 1 && (token.span.at[0] | 32) == 'u' && is_at(scanner, "&\"")) {
        scanner->at++;
        token.is_quoted = token.is_unicode = true;
        token.span = read_quoted(scanner, false);
    }
    return token;
}

static struct token
read_token(struct scanner *scanner)
{
    bool was_behind_escapes = scanner->is_behind_escapes;

    scanner->is_behind_escapes = false;
    skip_space(scanner);
    if (scanner->at >= scanner->end)
        return (struct token){.kind = TOKEN_END};
    char letter = *scanner->at;
    if (is_word_start(letter))
        return read_word(scanner);
    if (letter == '"')
        return (struct token){
            .kind = TOKEN_WORD, .span = read_quoted(scanner, false), .is_quoted = true};
    if (letter == '\'') {
        scanner->is_behind_escapes = was_behind_escapes;
        return (struct token){
            .kind = TOKEN_STRING,
            .span = read_quoted(scanner, scanner->has_backslashes || was_behind_escapes)};
    }
    const char *start = scanner->at;
    if (letter == '$' && skip_dollars(scanner))
        return (struct token){
            .kind = TOKEN_OTHER, .other = '$', .span = {start, (size_t)(scanner->at - start)}};
    scanner->at++;
    return (struct token){.kind = TOKEN_OTHER, .other = letter};
}

static enum keyword
keyword_of(struct pool_sql_span span)
{
    if (span.length == 0 || span.length > KEYWORD_LETTERS_MAX)
        return WORD_NONE;
    for (size_t i = 0; keywords[span.length][i].text != NULL; i++) {
        const char *text = keywords[span.length][i].text;
        if ((span.at[0] | 32) == text[0] && strncasecmp(span.at, text, span.length) == 0)
            return keywords[span.length][i].word;
    }
    return WORD_NONE;
}

static struct token
next_token(struct scanner *scanner)
{
    struct token token = read_token(scanner);

    if (token.kind == TOKEN_WORD)
        token.word = (uint8_t)keyword_of(token.span);
    return token;
}

static bool
has_part(const struct token *token, const char *part)
{
    size_t length = strlen(part);

    if (token->kind != TOKEN_WORD || token->span.length < length)
        return false;
    const char *at = token->span.at, *last = at + token->span.length - length;
    for (; at <= last; at++) {
        if ((*at | 32) == (part[0] | 32) && strncasecmp(at, part, length) == 0)
            return true;
    }
    return false;
}

/* --- statements --------------------------------------------------------------------------- */

static void
add_name(struct pool_sql *sql, struct pool_sql_span name)
{
    if (memchr(name.at, '.', name.length) == NULL) /* pg_settings shows it */
        return;
    if (sql->name_count == POOL_SQL_NAMES_MAX)
        sql->signs |= POOL_SQL_UNNAMED;
    else
        sql->names[sql->name_count++] = name;
}

/* set_config('name', value, is_local): behind the word. Only a plain "true" is local to the
 * transaction, and only a plain literal names the parameter. */
static void
scan_set_config(struct scanner scanner, struct pool_sql *sql)
{
    struct token token = next_token(&scanner), last = {0}, before = {0};
    int depth = 1, commas = 0;

    if (token.other != '(')
        return;
    struct token name = next_token(&scanner);
    token = name.other == ')' ? name : next_token(&scanner);
    bool is_plain = name.kind == TOKEN_STRING && token.other == ',' &&
                    memchr(name.span.at, '\\', name.span.length) == NULL &&
                    memchr(name.span.at, '\'', name.span.length) == NULL;
    depth += (name.other == '(') + (token.other == '(') - (token.other == ')');
    while (token.kind != TOKEN_END && depth > 0) {
        commas += token.other == ',' && depth == 1;
        before = last;
        last = token;
        token = next_token(&scanner);
        depth += (token.other == '(') - (token.other == ')');
    }
    if (commas == 2 && before.other == ',' && last.word == WORD_TRUE && !last.is_quoted &&
        token.other == ')')
        return;
    sql->signs |= POOL_SQL_PARAMETERS;
    if (is_plain)
        add_name(sql, name.span);
    else
        sql->signs |= POOL_SQL_UNNAMED;
}

static bool
is_plain_name(struct pool_sql_span name)
{
    bool is_plain = name.length > 0;

    for (size_t i = 0; i < name.length && is_plain; i++)
        is_plain = is_word_part(name.at[i]) || name.at[i] == '.';
    return is_plain;
}

static bool
is_before_dot(struct scanner scanner)
{
    return next_token(&scanner).other == '.';
}

/* SET and RESET: behind the word. */
static void
scan_set(struct scanner scanner, struct pool_sql *sql)
{
    struct token token = next_token(&scanner);
    bool is_dotted = is_before_dot(scanner);

    if (!is_dotted && (token.word == WORD_LOCAL || token.word == WORD_TRANSACTION ||
                       token.word == WORD_CONSTRAINTS))
        return;
    sql->signs |= POOL_SQL_PARAMETERS;
    if (!is_dotted && token.word == WORD_SESSION) {
        token = next_token(&scanner);
        is_dotted = is_before_dot(scanner);
        if (token.word == WORD_AUTHORIZATION)
            sql->signs |= POOL_SQL_ROLE;
    }
    struct pool_sql_span name = token.span;
    bool is_odd =
        token.kind == TOKEN_WORD && (token.is_unicode || memchr(name.at, '"', name.length) != NULL);
    if (is_dotted && token.is_quoted)
        is_odd = true; /* "a"."b": not taken apart */
    while (token.kind == TOKEN_WORD && is_before_dot(scanner)) {
        (void)next_token(&scanner);
        token = next_token(&scanner);
        name.length = (size_t)(scanner.at - name.at);
    }
    if (is_dotted && !is_plain_name(name))
        is_odd = true;
    if (is_odd)
        sql->signs |= POOL_SQL_UNNAMED;
    else if (token.kind == TOKEN_WORD)
        add_name(sql, name);
}

/* EXECUTE name, DEALLOCATE [PREPARE] name | ALL. */
static void
scan_prepared(struct scanner scanner, bool is_deallocate, struct pool_sql *sql)
{
    struct token token = next_token(&scanner);

    if (is_deallocate && token.word == WORD_PREPARE)
        token = next_token(&scanner);
    if (is_deallocate)
        sql->signs |= POOL_SQL_RELEASE;
    if (is_deallocate && token.word == WORD_ALL && !token.is_quoted) {
        sql->signs |= POOL_SQL_FORGET | POOL_SQL_RELEASE;
    } else if (token.kind == TOKEN_WORD) {
        sql->prepared = token.span;
        if (token.is_quoted) { /* with its quotes, which are to be replaced too */
            sql->prepared.at--;
            sql->prepared.length += 2;
        }
        sql->is_deallocate = is_deallocate;
    }
}

/* What the first word of a statement says. */
static const unsigned first_signs[WORDS] = {
    [WORD_LISTEN] = POOL_SQL_LISTEN,
    [WORD_UNLISTEN] = POOL_SQL_LISTEN | POOL_SQL_RELEASE,
    [WORD_LOAD] = POOL_SQL_LIBRARY,
    [WORD_CLOSE] = POOL_SQL_RELEASE,
    [WORD_DROP] = POOL_SQL_RELEASE,
    [WORD_DISCARD] = POOL_SQL_PARAMETERS | POOL_SQL_FORGET | POOL_SQL_RELEASE,
    [WORD_BEGIN] = POOL_SQL_BLOCK,
    [WORD_START] = POOL_SQL_BLOCK,
    [WORD_DO] = POOL_SQL_OPAQUE,
    [WORD_CALL] = POOL_SQL_OPAQUE,
};

/* PREPARE: behind the word. */
static void
scan_prepare(struct scanner scanner, struct pool_sql *sql)
{
    struct token token = next_token(&scanner);

    if (token.word != WORD_TRANSACTION)
        sql->signs |= POOL_SQL_STATEMENTS;
}

static void
scan_first(const struct scanner *scanner, const struct token *word, struct pool_sql *sql)
{
    sql->signs |= first_signs[word->word];
    if (word->word == WORD_SET || word->word == WORD_RESET)
        scan_set(*scanner, sql);
    else if (word->word == WORD_PREPARE)
        scan_prepare(*scanner, sql);
    else if (word->word == WORD_EXECUTE)
        scan_prepared(*scanner, false, sql);
    else if (word->word == WORD_DEALLOCATE)
        scan_prepared(*scanner, true, sql);
}

/* A name of the pool's own where a prepared statement is named. */
static bool
is_reserved(const struct token *word, const struct token *before)
{
    const size_t length = strlen(POOL_SQL_RESERVED_PREFIX);

    return word->span.length >= length && word->span.at[0] == '_' &&
           strncasecmp(word->span.at, POOL_SQL_RESERVED_PREFIX, length) == 0 &&
           (before->word == WORD_PREPARE || before->word == WORD_EXECUTE ||
            before->word == WORD_DEALLOCATE);
}

/* What a name says. */
static void
scan_name(const struct token *word, const struct token *before, struct pool_sql *sql)
{
    if (word->span.length < strlen("pg_temp")) /* the shortest */
        return;
    if (is_reserved(word, before))
        sql->signs |= POOL_SQL_RESERVED;
    else if (has_part(word, "advisory") && !has_part(word, "_xact_"))
        sql->signs |= POOL_SQL_LOCKS | POOL_SQL_RELEASE;
    else if (has_part(word, "pg_temp"))
        sql->signs |= POOL_SQL_TEMPORARY;
}

/* What any word of a statement says. before: the token in front of it. */
static void
scan_any(const struct scanner *scanner, const struct token *word, const struct token *before,
         struct pool_sql *sql)
{
    if (word->is_unicode) { /* who knows what it is */
        sql->signs |= POOL_SQL_OPAQUE;
        return;
    }
    switch ((enum keyword)word->word) {
    case WORD_NONE:
        scan_name(word, before, sql);
        break;
    case WORD_HOLD:
        sql->signs |= POOL_SQL_CURSORS;
        break;
    case WORD_TEMP:
    case WORD_TEMPORARY:
        sql->signs |= POOL_SQL_TEMPORARY;
        break;
    case WORD_CREATE:
        sql->signs |= POOL_SQL_CREATES;
        break;
    case WORD_INTO:
        if (before->word != WORD_INSERT && before->word != WORD_MERGE)
            sql->signs |= POOL_SQL_CREATES;
        break;
    case WORD_SET_CONFIG:
        scan_set_config(*scanner, sql);
        break;
    case WORD_PG_SETTINGS: /* UPDATE of it is set_config */
        sql->signs |= POOL_SQL_PARAMETERS;
        break;
    case WORD_EXECUTE:
        sql->signs |= POOL_SQL_EXECUTES;
        break;
    default:
        break;
    }
}

/* --- texts without constants --------------------------------------------------------------- */

/* A list of constants counts as one: what may be its comma waits for what comes behind. */
struct shape {
    bool is_behind_constant, is_comma_due;
};

enum shape_step { SHAPE_TOKEN, SHAPE_CONSTANT, SHAPE_COMMA_AND_TOKEN, SHAPE_NOTHING };

/* A number, or a parameter: all of it is read. */
static bool
read_constant(struct scanner *scanner, const struct token *token)
{
    bool is_parameter = token->kind == TOKEN_OTHER && token->other == '$' &&
                        scanner->at < scanner->end && is_digit(*scanner->at);

    if (token->kind == TOKEN_STRING || (token->kind == TOKEN_OTHER && token->span.length > 0))
        return true;
    if (!is_parameter && !(token->kind == TOKEN_OTHER && is_digit(token->other)))
        return false;
    while (scanner->at < scanner->end && (is_digit(*scanner->at) || *scanner->at == '.'))
        scanner->at++;
    return true;
}

static enum shape_step
next_shape(struct shape *shape, const struct token *token, bool is_constant)
{
    bool was_due = shape->is_comma_due;

    shape->is_comma_due = false;
    if (is_constant && was_due) {
        shape->is_behind_constant = true;
        return SHAPE_NOTHING;
    }
    if (shape->is_behind_constant && token->other == ',' && !was_due) {
        shape->is_comma_due = true;
        return SHAPE_NOTHING;
    }
    shape->is_behind_constant = is_constant;
    return was_due ? SHAPE_COMMA_AND_TOKEN : is_constant ? SHAPE_CONSTANT : SHAPE_TOKEN;
}

static uint64_t
add_to_hash(uint64_t hash, enum shape_step step, const struct token *token)
{
    if (step == SHAPE_NOTHING)
        return hash;
    if (step == SHAPE_COMMA_AND_TOKEN)
        hash = hash * 31 + ',';
    if (step == SHAPE_CONSTANT)
        return (hash ^ (hash >> 29)) * 0x9E3779B97F4A7C15 + '?';
    if (token->kind == TOKEN_WORD)
        return XXH3_64bits_withSeed(token->span.at, token->span.length, hash);
    return (hash ^ (hash >> 29)) * 0x9E3779B97F4A7C15 + (uint8_t)token->other;
}

void
pool_sql_normalize(const char *sql, size_t length, char *ret_text, size_t size)
{
    struct scanner scanner = {.at = sql, .end = sql + length};
    struct shape shape = {0};
    size_t used = 0;

    while (used + 1 < size) {
        const char *gap = scanner.at;
        skip_space(&scanner);
        const char *start = scanner.at;
        struct token token = next_token(&scanner);
        if (token.kind == TOKEN_END)
            break;
        bool is_constant = read_constant(&scanner, &token);
        enum shape_step step = next_shape(&shape, &token, is_constant);
        if (step == SHAPE_NOTHING)
            continue;
        const char *text = is_constant ? "?" : start;
        int count = is_constant ? 1 : (int)(scanner.at - start);
        int put = snprintf(ret_text + used, size - used, "%s%s%.*s",
                           step == SHAPE_COMMA_AND_TOKEN ? "," : "",
                           start > gap && used > 0 ? " " : "", count, text);
        used += put < 0 ? 0 : (size_t)put;
    }
    ret_text[used < size ? used : size - 1] = '\0';
}

void
pool_sql_scan(const char *text, size_t length, bool has_backslashes, struct pool_sql *ret_sql)
{
    struct scanner scanner = {.at = text, .end = text + length, .has_backslashes = has_backslashes};
    struct pool_sql sql = {0};
    struct shape shape = {0};
    struct token token = {0}, before;
    bool is_first = true;
    int statements = 0;

    for (;;) {
        before = token;
        token = next_token(&scanner);
        if (token.kind == TOKEN_END)
            break;
        bool is_constant = read_constant(&scanner, &token);
        sql.hash = add_to_hash(sql.hash, next_shape(&shape, &token, is_constant), &token);
        if (token.other == ';') {
            is_first = true;
            continue;
        }
        if (is_first) {
            statements++;
            scan_first(&scanner, &token, &sql);
        }
        is_first = false;
        if (token.kind == TOKEN_WORD)
            scan_any(&scanner, &token, &before, &sql);
    }
    if (statements != 1)
        sql.prepared.at = NULL;
    sql.hash += sql.hash == 0;
    *ret_sql = sql;
}

/* Behind the word PREPARE. */
static bool
is_named(struct scanner scanner, struct pool_sql_span name)
{
    struct token token = next_token(&scanner);
    size_t at = 0;

    if (token.kind != TOKEN_WORD)
        return false;
    for (size_t i = 0; i < token.span.length; i++, at++) {
        char letter = token.span.at[i];
        if (!token.is_quoted)
            letter = (char)tolower((unsigned char)letter);
        else if (letter == '"') /* the first of two */
            i++;
        if (at == name.length || letter != name.at[at])
            return false;
    }
    return at == name.length;
}

bool
pool_sql_find_prepare(struct pool_sql_span text, bool has_backslashes, struct pool_sql_span name,
                      struct pool_sql_span *ret_statement)
{
    struct scanner scanner = {
        .at = text.at, .end = text.at + text.length, .has_backslashes = has_backslashes};
    const char *found = NULL;
    bool is_first = true;
    int count = 0;

    for (;;) {
        skip_space(&scanner);
        const char *start = scanner.at;
        struct token token = next_token(&scanner);
        bool is_end = token.kind == TOKEN_END || token.other == ';';
        if (is_end && found != NULL) {
            *ret_statement = (struct pool_sql_span){found, (size_t)(start - found)};
            found = NULL;
            count++;
        }
        if (token.kind == TOKEN_END)
            return count == 1;
        if (is_first && token.word == WORD_PREPARE && is_named(scanner, name))
            found = start;
        is_first = is_end;
    }
}
