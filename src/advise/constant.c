// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "base/embed.h"
#include "deck/sql_tokens.h"
#include "pg/script.h"
#include "workload/fingerprint.h"

#include <stdlib.h>
#include <string.h>

/* An index on an expression is of its constants, and pg_stat_statements has put parameters in their
 * place: payload ->> $1 = $2. They are looked for where the statement was seen with them: in
 * another input, with a session that ran it last; and in what can be there at all: the keys of a
 * sample of the documents. */

enum { SAMPLE_ROWS = 1000, MAX_KEYS_TOLD = 8 };

struct found_constants {
    const char **items; /* SQL of $1, $2 ...; NULL: not known */
    size_t count;
    const char *where;
};

/* --- from the same statement with its constants ------------------------------------------- */

static void
align(struct arena *arena, const json_t *plain, const json_t *full, struct found_constants *found)
{
    size_t number =
        (size_t)json_integer_value(json_object_get(tree_as(plain, "ParamRef"), "number"));
    const char *key;
    json_t *value;
    size_t i;

    if (number > 0) {
        if (number <= found->count && tree_as(full, "A_Const") != NULL)
            found->items[number - 1] = tree_sql(arena, full);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)plain, key, value)
    {
        align(arena, value, json_object_get(full, key), found);
    }
    json_array_foreach(plain, i, value)
    {
        align(arena, value, json_array_get(full, i), found);
    }
}

static bool
has_all(const struct advise_statement *statement, const struct found_constants *found)
{
    for (size_t i = 0; i < statement->unknowns.count; i++) {
        if (found->items[statement->unknowns.items[i].parameter - 1] == NULL)
            return false;
    }
    return true;
}

static bool
take_text(struct advise *run, const struct advise_statement *statement, const char *text,
          struct found_constants *found)
{
    struct error ignored = {0};
    AUTO_TREE tree = NULL;

    memset(found->items, 0, found->count * sizeof(*found->items));
    if (text == NULL || !tree_parse(text, &tree, &ignored))
        return false;
    align(run->arena, statement->tree, tree, found);
    return has_all(statement, found);
}

/* What sessions run now, or ran last. */
static bool
read_sessions(struct advise *run, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (run->has_sessions)
        return true;
    if (!pg_query(run->catalog, embedded_file("advise/sql/sessions.sql")->text, 0, NULL, &result,
                  err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        *LIST_ADD(run->arena, &run->sessions) = pg_keep_text(run->arena, result, row, "query");
    run->has_sessions = true;
    return true;
}

static bool
find_seen(struct advise *run, const struct advise_statement *statement,
          struct found_constants *found, struct error *err)
{
    if (take_text(run, statement, statement->example, found)) {
        found->where = "as in another input";
        return true;
    }
    if (!read_sessions(run, err))
        return false;
    uint64_t fingerprint = workload_fingerprint(statement->text);
    for (size_t i = 0; i < run->sessions.count; i++) {
        if (workload_fingerprint(run->sessions.items[i]) != fingerprint ||
            !take_text(run, statement, run->sessions.items[i], found))
            continue;
        found->where = "as a session ran it";
        return true;
    }
    memset(found->items, 0, found->count * sizeof(*found->items));
    return true;
}

/* --- from what can be there --------------------------------------------------------------- */

/* The only key of the documents; else hint says which there are. */
static bool
find_key(struct advise *run, struct advise_statement *statement,
         const struct advise_unknown *unknown, const char **ret_key, struct error *err)
{
    const struct advise_table *table = unknown->table;
    double percent = table->rows > SAMPLE_ROWS ? 120.0 * SAMPLE_ROWS / table->rows : 100;
    char share[32];
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT keys = {0};
    struct error fault = {0};

    *ret_key = NULL;
    snprintf(share, sizeof(share), "%.4f", percent > 100 ? 100 : percent);
    if (!pg_query(run->catalog,
                  pg_script(run->arena, "advise/sql/document_keys.sql",
                            PG_VARIABLES({"schema", table->schema}, {"table", table->name},
                                         {"column", unknown->column}, {"percent", share})),
                  0, NULL, &result, &fault)) {
        bool is_fatal = fault.code == ERROR_CONNECTION_LOST || fault.code == ERROR_INTERRUPTED;
        if (is_fatal)
            *err = fault;
        return !is_fatal;
    }
    if (PQntuples(result) == 1)
        *ret_key = pg_literal(run->arena, pg_value(result, 0, "key"));
    for (int row = 0; row < PQntuples(result) && row < MAX_KEYS_TOLD; row++)
        text_appendf(&keys, "%s%s", row == 0 ? "" : ", ", pg_value(result, row, "key"));
    if (keys.length > 0)
        statement->hint =
            arena_printf(run->arena, "%s; in a sample its keys are: %s%s", statement->hint,
                         text_chars(&keys), PQntuples(result) > MAX_KEYS_TOLD ? " ..." : "");
    return true;
}

static bool
find_possible(struct advise *run, struct advise_statement *statement, struct found_constants *found,
              struct error *err)
{
    for (size_t i = 0; i < statement->unknowns.count; i++) {
        const struct advise_unknown *unknown = &statement->unknowns.items[i];
        const char **item = &found->items[unknown->parameter - 1];
        if (unknown->kind == ADVISE_DOCUMENT_KEY && !find_key(run, statement, unknown, item, err))
            return false;
        if (unknown->kind == ADVISE_WORDS)
            *item = pg_literal(run->arena, run->words);
        if (*item == NULL)
            return true;
        found->where = unknown->kind == ADVISE_WORDS ? "default_text_search_config"
                                                     : "the only one in a sample";
    }
    return true;
}

/* --- put in their place ------------------------------------------------------------------- */

/* The statement with the constants that it needs, and its other parameters counted anew. */
static const char *
filled(struct advise *run, const struct advise_statement *statement,
       const struct found_constants *found)
{
    AUTO_TEXT text = {0};
    struct sql_tokens tokens;
    struct error ignored = {0};
    size_t copied = 0;
    long *numbers = ARENA_ARRAY(run->arena, long, found->count + 1);
    long next = 0;

    for (size_t i = 0; i < statement->unknowns.count; i++)
        numbers[statement->unknowns.items[i].parameter - 1] = -1;
    for (size_t i = 0; i < found->count; i++)
        numbers[i] = numbers[i] < 0 ? numbers[i] : ++next;
    if (!sql_tokens_read(run->arena, statement->text, &tokens, &ignored))
        return NULL;
    for (size_t i = 0; i < tokens.list.count; i++) {
        const struct sql_token *token = &tokens.list.items[i];
        const char *at = statement->text + token->start;
        long number = *at == '$' ? strtol(at + 1, NULL, 10) : 0;
        bool is_behind = number > (long)found->count;
        if (number < 1)
            continue;
        text_append_bytes(&text, statement->text + copied, token->start - copied);
        if (!is_behind && numbers[number - 1] < 0)
            text_append(&text, found->items[number - 1]);
        else
            text_appendf(&text, "$%ld",
                         is_behind ? number - (long)found->count + next : numbers[number - 1]);
        copied = token->end;
    }
    text_append(&text, statement->text + copied);
    return arena_strdup(run->arena, text_chars(&text));
}

static const char *
told(struct advise *run, const struct advise_statement *statement,
     const struct found_constants *found)
{
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < statement->unknowns.count; i++) {
        size_t number = statement->unknowns.items[i].parameter;
        text_appendf(&text, "%s$%zu is taken for %s", i == 0 ? "" : ", ", number,
                     found->items[number - 1]);
    }
    text_appendf(&text, " (%s)", found->where);
    return arena_strdup(run->arena, text_chars(&text));
}

static void
fill_in(struct advise *run, struct advise_statement *statement, const struct found_constants *found)
{
    const char *text = filled(run, statement, found);
    const char *hint = told(run, statement, found);
    struct error ignored = {0};
    json_t *tree;

    if (text == NULL || !tree_parse(text, &tree, &ignored))
        return;
    json_decref(statement->tree);
    *statement = (struct advise_statement){.text = text,
                                           .counted_text = statement->text,
                                           .source = statement->source,
                                           .fingerprint = statement->fingerprint,
                                           .calls = statement->calls,
                                           .total_ms = statement->total_ms,
                                           .rows = statement->rows,
                                           .is_counted = statement->is_counted,
                                           .hint = hint,
                                           .tree = tree};
    advise_read_statement(run->arena, tree, &run->tables, statement);
}

bool
advise_find_constants(struct advise *run, struct advise_statement *statement, struct error *err)
{
    struct found_constants found = {0};

    for (size_t i = 0; i < statement->unknowns.count; i++) {
        if (statement->unknowns.items[i].parameter > found.count)
            found.count = statement->unknowns.items[i].parameter;
    }
    if (statement->parameters.count > found.count)
        found.count = statement->parameters.count;
    if (statement->unknowns.count == 0)
        return true;
    found.items = ARENA_ARRAY(run->arena, const char *, found.count);
    if (!find_seen(run, statement, &found, err) ||
        (!has_all(statement, &found) && !find_possible(run, statement, &found, err)))
        return false;
    if (has_all(statement, &found))
        fill_in(run, statement, &found);
    return true;
}
