// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "base/embed.h"
#include "deck/sql_tokens.h"
#include "pg/script.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values for the parameters: those of a log, else those that the statistics know, for three runs. A
 * value that nothing is known of comes from its type. */
enum { SAMPLES = ADVISE_SAMPLES, PATTERN_LETTERS = 4, ARRAY_ITEMS = 5, DEFAULT_LIMIT = 100 };

struct type_sample {
    const char *type;
    const char *values[SAMPLES];
};

/* 'epoch' is a text that EXTRACT knows too. */
static const struct type_sample type_samples[] = {
    {"interval", {"1 day", "1 hour", "7 days"}},
    {"text", {"epoch", "epoch", "epoch"}},
    {"character varying", {"a", "b", "c"}},
    {"smallint", {"1", "2", "3"}},
    {"integer", {"1", "10", "100"}},
    {"bigint", {"1", "10", "100"}},
    {"numeric", {"1", "10", "100"}},
    {"double precision", {"1", "10", "100"}},
    {"real", {"1", "10", "100"}},
    {"boolean", {"true", "false", "true"}},
    {"timestamp with time zone", {"yesterday", "today", "now"}},
    {"timestamp without time zone", {"yesterday", "today", "now"}},
    {"date", {"yesterday", "today", "tomorrow"}},
    {"jsonb", {"{}", "{\"a\": 1}", "[]"}},
    {"tsquery", {"word", "some", "thing"}},
    {"uuid",
     {"00000000-0000-4000-8000-000000000000", "40000000-0000-4000-8000-000000000000",
      "c0000000-0000-4000-8000-000000000000"}},
};

static const char *
value_of_type(const char *type, size_t sample)
{
    for (size_t i = 0; i < sizeof(type_samples) / sizeof(type_samples[0]); i++) {
        if (strcmp(type_samples[i].type, type) == 0)
            return type_samples[i].values[sample];
    }
    return NULL;
}

/* The frequent one, one from the middle, a rare one. */
static const char *
value_of_column(const struct advise_column *column, size_t sample)
{
    static const double places[SAMPLES] = {0.2, 0.5, 0.99};

    if (column->value_count > 0 && (sample == 0 || column->bound_count == 0)) {
        size_t at = sample == 0   ? 0
                    : sample == 1 ? column->value_count / 2
                                  : column->value_count - 1;
        return column->values[at];
    }
    if (column->bound_count == 0)
        return NULL;
    return column->bounds[(size_t)(places[sample] * (double)(column->bound_count - 1))];
}

/* Ranges mostly look at what came last. Two ends of one range are a little apart. */
static const char *
range_value(const struct advise_column *column, size_t sample, size_t end)
{
    static const double places[SAMPLES] = {0.9, 0.5, 0.97};
    double place = places[sample] + 0.02 * (double)end;

    if (column->bound_count == 0)
        return value_of_column(column, sample);
    return column->bounds[(size_t)((place > 1 ? 1 : place) * (double)(column->bound_count - 1))];
}

static const char *
pattern(struct arena *arena, const char *value, bool is_prefix)
{
    size_t length = value == NULL ? 0 : strlen(value);
    size_t start = is_prefix || length < 2 * (size_t)PATTERN_LETTERS ? 0 : length / 2 - 2;

    if (value == NULL)
        return NULL;
    while (start > 0 && ((unsigned char)value[start] & 0xc0) == 0x80)
        start--;
    size_t end = start + PATTERN_LETTERS < length ? start + PATTERN_LETTERS : length;
    while (end < length && ((unsigned char)value[end] & 0xc0) == 0x80)
        end++;
    return arena_printf(arena, "%s%.*s%%", is_prefix ? "" : "%", (int)(end - start), value + start);
}

static const char *
array_value(struct arena *arena, const struct advise_column *column, size_t sample)
{
    const char *items[ARRAY_ITEMS];
    size_t count = 0;

    if (column->category == 'A')
        return value_of_column(column, sample);
    for (size_t i = 0; i < ARRAY_ITEMS && i < column->bound_count; i++)
        items[count++] = column->bounds[(sample * 7 + (size_t)i * 13) % column->bound_count];
    for (size_t i = 0; count == 0 && i < 2 && i < column->value_count; i++)
        items[count++] = column->values[i];
    return count == 0 ? "{}" : pg_text_array(arena, items, count);
}

static size_t
end_of_range(const struct advise_statement *statement, size_t at)
{
    size_t before = 0;

    for (size_t i = 0; i < at; i++)
        before += statement->parameters.items[i].column == statement->parameters.items[at].column;
    return before;
}

static const char *
sample_value(struct arena *arena, const struct advise_statement *statement, size_t at,
             size_t sample)
{
    const struct advise_parameter *parameter = &statement->parameters.items[at];
    const struct advise_column *column = parameter->column;
    size_t type_length = strlen(parameter->type);

    if (parameter->is_offset)
        return "0";
    if (parameter->is_limit) {
        double rows = statement->calls > 0 ? statement->rows / statement->calls : 0;
        return arena_printf(arena, "%.0f", rows >= 1 ? rows : DEFAULT_LIMIT);
    }
    if (column == NULL)
        return value_of_type(parameter->type, sample);
    if (type_length > 2 && strcmp(parameter->type + type_length - 2, "[]") == 0)
        return array_value(arena, column, sample);
    if (parameter->use == ADVISE_PREFIX || parameter->use == ADVISE_INFIX)
        return pattern(arena, value_of_column(column, sample), parameter->use == ADVISE_PREFIX);
    const char *value = parameter->use == ADVISE_RANGE
                            ? range_value(column, sample, end_of_range(statement, at))
                            : value_of_column(column, sample);
    return value != NULL && strcmp(parameter->type, column->type) == 0
               ? value
               : value_of_type(parameter->type, sample);
}

/* A parameter as SQL: what a log says that it was, else sampled; NULL: not known. */
static const char *
parameter_sql(struct arena *arena, const struct advise_statement *statement, size_t at,
              size_t sample)
{
    const char *type = statement->parameters.items[at].type;
    const char *value = NULL;

    if (sample < statement->seen.count) {
        const struct advise_values *seen = &statement->seen.items[sample];
        if (at >= seen->count)
            return NULL;
        value = seen->items[at];
        if (value == NULL)
            return arena_printf(arena, "(NULL::%s)", type);
    } else {
        value = sample_value(arena, statement, at, sample);
    }
    return value == NULL ? NULL : arena_printf(arena, "(%s::%s)", pg_literal(arena, value), type);
}

const char *
advise_with_values(struct arena *arena, const struct advise_statement *statement, size_t sample)
{
    AUTO_TEXT text = {0};
    struct sql_tokens tokens;
    struct error ignored = {0};
    size_t copied = 0;

    if (!sql_tokens_read(arena, statement->sql, &tokens, &ignored))
        return NULL;
    for (size_t i = 0; i < tokens.list.count; i++) {
        const struct sql_token *token = &tokens.list.items[i];
        const char *at = statement->sql + token->start;
        long number = *at == '$' ? strtol(at + 1, NULL, 10) : 0;
        if (number < 1)
            continue;
        if ((size_t)number > statement->parameters.count)
            return NULL;
        const char *value = parameter_sql(arena, statement, (size_t)number - 1, sample);
        if (value == NULL)
            return NULL;
        text_append_bytes(&text, statement->sql + copied, token->start - copied);
        text_append(&text, value);
        copied = token->end;
    }
    text_append(&text, statement->sql + copied);
    return arena_strdup(arena, text_chars(&text));
}

/* --- the server's word on it -------------------------------------------------------------- */

static bool
is_fatal(const struct error *fault)
{
    return fault->code == ERROR_CONNECTION_LOST || fault->code == ERROR_INTERRUPTED;
}

static bool
read_types(struct advise *run, struct advise_statement *statement, struct error *err)
{
    const char *parameters[] = {statement->prepared};
    AUTO_PGRESULT result = NULL;
    char **types;

    if (!pg_query(run->planner, embedded_file("advise/sql/parameter_types.sql")->text, 1,
                  parameters, &result, err))
        return false;
    size_t count =
        PQntuples(result) == 0 ? 0 : pg_array(run->arena, pg_value(result, 0, "types"), &types);
    while (statement->parameters.count < count)
        LIST_ADD(run->arena, &statement->parameters);
    statement->parameters.count = count;
    for (size_t i = 0; i < count; i++)
        statement->parameters.items[i].type = types[i];
    if (count == 0)
        statement->prepared = NULL;
    return true;
}

/* Where else there are tables of the names that were not found; NULL: nowhere. */
static bool
find_elsewhere(struct advise *run, const struct advise_statement *statement,
               const char **ret_schemas, struct error *err)
{
    struct advise_names names = {0};
    AUTO_PGRESULT result = NULL;

    advise_read_names(run->arena, statement->tree, &names);
    const char *parameters[] = {pg_text_array(run->arena, names.list.items, names.list.count),
                                run->schemas};
    if (!pg_query(run->catalog, embedded_file("advise/sql/elsewhere.sql")->text, 2, parameters,
                  &result, err))
        return false;
    *ret_schemas = pg_keep_text(run->arena, result, 0, "schemas");
    return true;
}

/* The server does not take it. */
static bool
refuse(struct advise *run, struct advise_statement *statement, const struct error *fault,
       struct error *err)
{
    static const char undefined_table[] = "42P01";
    const char *schemas = "";

    if (is_fatal(fault)) {
        *err = *fault;
        return false;
    }
    if (strcmp(fault->sqlstate, undefined_table) == 0 &&
        !find_elsewhere(run, statement, &schemas, err))
        return false;
    statement->problem = schemas[0] == '\0'
                             ? arena_strdup(run->arena, fault->message)
                             : arena_printf(run->arena, "%s (but in schema %s: --search-path)",
                                            fault->message, schemas);
    return true;
}

/* Prepares it as it is, or as tree_rewrite writes it when the grammar refuses that. */
static bool
prepare(struct advise *run, struct advise_statement *statement, struct error *err)
{
    static const char syntax_error[] = "42601";
    struct error fault = {0};

    statement->sql = statement->text;
    bool is_fine =
        pg_prepare(run->planner, statement->prepared, statement->sql, 0, NULL, NULL, &fault);
    if (!is_fine && strcmp(fault.sqlstate, syntax_error) == 0) {
        const char *rewritten = tree_rewrite(run->arena, statement->text);
        struct error second = {0};
        if (rewritten != NULL) {
            statement->sql = rewritten;
            is_fine =
                pg_prepare(run->planner, statement->prepared, rewritten, 0, NULL, NULL, &second);
        }
        if (is_fatal(&second))
            fault = second;
    }
    return is_fine ? read_types(run, statement, err) : refuse(run, statement, &fault, err);
}

/* Whether two plans expect about the same rows everywhere: then indexes change them alike. */
static bool
is_alike(const struct advise_plan *a, const struct advise_plan *b)
{
    const double little = 0.02;

    if (a->nodes.count != b->nodes.count || fabs(a->cost - b->cost) > little * a->cost)
        return false;
    for (size_t i = 0; i < a->nodes.count; i++) {
        double rows = a->nodes.items[i].rows;
        if (fabs(rows - b->nodes.items[i].rows) > fmax(1, little * rows))
            return false;
    }
    return true;
}

static bool
add_plan(struct advise *run, struct advise_statement *statement, const char *sql, struct error *err)
{
    struct advise_plan plan = {0};
    struct error fault = {0};
    bool is_sampled = sql != NULL && statement->prepared != NULL;

    if (advise_explain(run, statement, sql, &plan, &fault)) {
        plan.weight = 1;
        for (size_t i = 0; is_sampled && i < statement->plans.count; i++) {
            struct advise_plan *known = &statement->plans.items[i];
            if (known->sql == NULL || !is_alike(known, &plan))
                continue;
            known->weight++;
            return true;
        }
        *LIST_ADD(run->arena, &statement->plans) = plan;
        return true;
    }
    if (is_fatal(&fault)) {
        *err = fault;
        return false;
    }
    if (!is_sampled) /* a value that does not fit is left out */
        statement->problem = arena_strdup(run->arena, fault.message);
    return true;
}

/* The generic plan and those with values; of a statement without parameters its only one. */
static bool
add_plans(struct advise *run, struct advise_statement *statement, struct error *err)
{
    if (statement->prepared == NULL)
        return add_plan(run, statement, statement->sql, err);
    if (!add_plan(run, statement, NULL, err))
        return false;
    for (size_t sample = 0; statement->problem == NULL && sample < SAMPLES; sample++) {
        const char *sql = advise_with_values(run->arena, statement, sample);
        if (sql != NULL && !add_plan(run, statement, sql, err))
            return false;
    }
    return true;
}

static bool
bind_statement(struct advise *run, struct advise_statement *statement, size_t number,
               struct error *err)
{
    statement->prepared = arena_printf(run->arena, "pgdeck_%zu", number);
    statement->plans.count = 0;
    if (!prepare(run, statement, err) ||
        (statement->problem == NULL && !add_plans(run, statement, err)))
        return false;
    statement->is_bound = statement->problem == NULL;
    if (statement->is_bound && !advise_cost(run, statement, NULL, 0, &statement->before, err))
        return false;
    statement->after = statement->before;
    return true;
}

bool
advise_bind(struct advise *run, struct error *err)
{
    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[i];
        struct error fault = {0};
        while (statement->problem == NULL && !bind_statement(run, statement, i, &fault)) {
            statement->is_bound = false;
            if (!advise_recover(run, &fault, err))
                return false;
            error_clear(&fault);
        }
    }
    return true;
}
