// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "advise/tables.h"
#include "base/embed.h"
#include "change/name.h"
#include "pg/script.h"
#include "workload/fingerprint.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <xxhash.h>

void
advise_note(struct advise *run, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *note = arena_vprintf(run->arena, format, args);
    va_end(args);
    for (size_t i = 0; i < run->notes.count; i++) {
        if (strcmp(run->notes.items[i], note) == 0)
            return;
    }
    *LIST_ADD(run->arena, &run->notes) = note;
}

void
advise_progress(struct advise *run, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *line = arena_vprintf(run->arena, format, args);
    va_end(args);
    if (run->progress != NULL)
        run->progress(run->progress_sink, line);
}

/* --- sessions ----------------------------------------------------------------------------- */

static bool
prepare_session(PGconn *connection, struct error *err)
{
    const int parameter_privileges = 150000;
    AUTO_PGRESULT result = NULL;
    const char *quiet = PQserverVersion(connection) < parameter_privileges
                            ? "advise/sql/quiet_14.sql"
                            : "advise/sql/quiet.sql";

    return pg_query(connection, embedded_file(quiet)->text, 0, NULL, &result, err) &&
           pg_execute(connection, embedded_file("advise/sql/session.sql")->text, err);
}

bool
advise_open_planner(struct advise *run, struct error *err)
{
    struct pg_target target = run->target;

    target.is_application = true;
    if (!pg_connect(&target, &run->planner, err) || !prepare_session(run->planner, err))
        return false;
    if (run->search_path == NULL)
        return true;
    const char *parameters[] = {run->search_path};
    AUTO_PGRESULT result = NULL;
    return pg_query(run->planner, embedded_file("advise/sql/set_search_path.sql")->text, 1,
                    parameters, &result, err) ||
           error_wrap(err, "--search-path");
}

bool
advise_open(struct advise *run, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_connect(&run->target, &run->catalog, err) || !prepare_session(run->catalog, err) ||
        !advise_open_planner(run, err) ||
        !pg_query(run->planner, embedded_file("advise/sql/schemas.sql")->text, 0, NULL, &result,
                  err))
        return false;
    run->schemas = arena_strdup(run->arena, pg_value(result, 0, "schemas"));
    run->database = arena_strdup(run->arena, pg_value(result, 0, "database"));
    run->words = arena_strdup(run->arena, pg_value(result, 0, "words"));
    run->major = (int)pg_integer(result, 0, "major");
    if (pg_value(result, 0, "hypopg") != NULL)
        run->hypopg = arena_strdup(run->arena, pg_value(result, 0, "hypopg"));
    else
        advise_note(run,
                    "Costs are by rules: the extension hypopg, with which the planner itself tells "
                    "them, is not in this database (%s).",
                    pg_bool(result, 0, "is_available") ? "CREATE EXTENSION hypopg"
                                                       : "nor on the server's host");
    return true;
}

void
advise_close(struct advise *run)
{
    for (size_t i = 0; i < run->statements.count; i++)
        json_decref(run->statements.items[i].tree);
    run->statements.count = 0;
    for (size_t i = 0; i < run->tables.list.count; i++) {
        json_decref(run->tables.list.items[i]->query);
        run->tables.list.items[i]->query = NULL;
    }
    PQfinish(run->catalog);
    PQfinish(run->planner);
    run->catalog = NULL;
    run->planner = NULL;
}

/* --- statements --------------------------------------------------------------------------- */

/* What makes two texts one statement: libpg_query's fingerprint, which takes no account of numbers
 * in the names of tables, and these names. */
static uint64_t
identity(struct arena *arena, const struct advise_statement *statement)
{
    uint64_t hash = workload_fingerprint(statement->text);
    struct advise_names names = {0};

    advise_read_names(arena, statement->tree, &names);
    for (size_t i = 0; i < names.list.count; i++)
        hash = XXH3_64bits_withSeed(names.list.items[i], strlen(names.list.items[i]), hash);
    return hash;
}

static bool
is_same_values(const struct advise_values *a, const struct advise_values *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const char *left = a->items[i];
        const char *right = b->items[i];
        if ((left == NULL) != (right == NULL) || (left != NULL && strcmp(left, right) != 0))
            return false;
    }
    return a->count == b->count;
}

/* What the same text ran with, each set of values once. */
static void
add_seen(struct arena *arena, struct advise_statement *to, const struct advise_statement *from)
{
    for (size_t i = 0; i < from->seen.count && strcmp(to->text, from->text) == 0; i++) {
        const struct advise_values *values = &from->seen.items[i];
        bool is_known = to->seen.count == ADVISE_SAMPLES;
        for (size_t k = 0; k < to->seen.count; k++)
            is_known |= is_same_values(&to->seen.items[k], values);
        if (!is_known)
            *LIST_ADD(arena, &to->seen) = *values;
    }
}

void
advise_add(struct advise *run, const struct advise_statement *statement)
{
    struct advise_statement added = *statement;
    struct error fault = {0};

    if (tree_parse(added.text, &added.tree, &fault))
        added.fingerprint = identity(run->arena, &added);
    else
        added.problem = arena_strdup(run->arena, fault.message);
    for (size_t i = 0; added.problem == NULL && i < run->statements.count; i++) {
        struct advise_statement *same = &run->statements.items[i];
        if (same->problem != NULL || same->fingerprint != added.fingerprint)
            continue;
        same->calls += added.calls;
        same->total_ms += added.total_ms;
        same->rows += added.rows;
        add_seen(run->arena, same, &added);
        if (same->example == NULL && strcmp(same->text, added.text) != 0)
            same->example = added.text;
        json_decref(added.tree);
        return;
    }
    *LIST_ADD(run->arena, &run->statements) = added;
}

/* What a server counted on its own tables, and on none. A name that is not found is left to the
 * server, which says what is wrong with it. */
static void
leave_aside(struct advise *run, struct advise_statement *statement)
{
    struct advise_names names = {0};

    if (statement->references.count > 0)
        return;
    advise_read_names(run->arena, statement->tree, &names);
    statement->problem = advise_no_table(&names);
    statement->is_aside = statement->problem != NULL;
}

bool
advise_parse(struct advise *run, struct error *err)
{
    static const char *const kinds[] = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt",
                                        "MergeStmt"};
    struct advise_names names = {0};

    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[i];
        bool is_known = statement->problem != NULL;
        if (is_known)
            continue;
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
            is_known |= tree_as(statement->tree, kinds[k]) != NULL;
        if (!is_known)
            statement->problem = "no SELECT, INSERT, UPDATE, DELETE or MERGE";
        else
            advise_read_names(run->arena, statement->tree, &names);
    }
    if (!advise_tables_read(run->arena, run->catalog, &names, run->schemas, &run->tables, err) ||
        !advise_read_views(run, err))
        return false;
    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[i];
        if (statement->problem == NULL)
            advise_read_statement(run->arena, statement->tree, &run->tables, statement);
        if (!advise_find_constants(run, statement, err))
            return false;
        if (statement->problem == NULL && statement->is_counted)
            leave_aside(run, statement);
    }
    return true;
}

/* --- outcome ------------------------------------------------------------------------------ */

static bool
has_index_named(const struct advise *run, const char *name)
{
    for (size_t i = 0; i < run->tables.list.count; i++) {
        const struct advise_table *table = run->tables.list.items[i];
        for (size_t j = 0; j < table->indexes.count; j++) {
            if (strcmp(table->indexes.items[j].name, name) == 0)
                return true;
        }
    }
    for (size_t i = 0; i < run->choices.count; i++) {
        if (run->choices.items[i].name != NULL && strcmp(run->choices.items[i].name, name) == 0)
            return true;
    }
    return false;
}

/* table_key_key_idx, as PostgreSQL would call it. */
static const char *
choose_name(struct advise *run, const struct advise_candidate *candidate)
{
    AUTO_TEXT base = {0};

    text_append(&base, candidate->table->name);
    for (size_t i = 0; i < candidate->key_count; i++) {
        text_append(&base, "_");
        const char *end = candidate->keys[i] + strcspn(candidate->keys[i], " ");
        if (strpbrk(candidate->keys[i], "(") != NULL)
            end = candidate->keys[i] + strlen(candidate->keys[i]);
        for (const char *c = candidate->keys[i]; c < end; c++) {
            bool is_letter = isalnum((unsigned char)*c) || ((unsigned char)*c & 0x80) != 0;
            if (is_letter || (*c == '_' && base.chars[base.length - 1] != '_'))
                text_append_bytes(&base, c, 1);
            else if (base.chars[base.length - 1] != '_')
                text_append(&base, "_");
        }
        while (base.length > 0 && base.chars[base.length - 1] == '_')
            base.chars[--base.length] = '\0';
    }
    const char *name = change_name(run->arena, text_chars(&base), "_idx");
    for (int i = 1; has_index_named(run, name); i++)
        name = change_name(run->arena, text_chars(&base), arena_printf(run->arena, "_idx%d", i));
    return name;
}

static bool
has_item(const struct advise_candidate *candidate, const char *item)
{
    for (size_t i = 0; i < candidate->key_count; i++) {
        if (strcmp(candidate->keys[i], item) == 0)
            return true;
    }
    for (size_t i = 0; i < candidate->included.count; i++) {
        if (strcmp(candidate->included.items[i], item) == 0)
            return true;
    }
    return false;
}

/* Whether the candidate does all that an index that is there does. */
static bool
is_replaced(const struct advise_candidate *candidate, const struct advise_index *index)
{
    if (index->is_unique || index->is_constraint || index->predicate[0] != '\0' ||
        candidate->predicate != NULL || strcmp(index->method, "btree") != 0 ||
        strcmp(candidate->method, "btree") != 0 || index->key_count > candidate->key_count)
        return false;
    for (size_t i = 0; i < index->key_count; i++) {
        if (strcmp(index->keys[i], candidate->keys[i]) != 0)
            return false;
    }
    for (size_t i = 0; i < index->included_count; i++) {
        if (!has_item(candidate, index->included[i]))
            return false;
    }
    return true;
}

/* The name as advised statements write it: of the schema public without it. */
static const char *
index_name(struct arena *arena, const struct advise_table *table, const char *name)
{
    const char *quoted = tree_identifier(arena, name);

    if (strcmp(table->schema, "public") == 0)
        return quoted;
    return arena_printf(arena, "%s.%s", tree_identifier(arena, table->schema), quoted);
}

const char *
advise_drop_sql(struct arena *arena, const char *name, bool is_partitioned)
{
    return pg_script(
        arena, "advise/sql/drop.sql",
        PG_VARIABLES({"kind", is_partitioned ? "INDEX" : "INDEX CONCURRENTLY"}, {"name", name}));
}

void
advise_finish(struct advise *run)
{
    for (size_t i = 0; i < run->choices.count; i++) {
        struct advise_choice *choice = &run->choices.items[i];
        const struct advise_candidate *candidate = &run->candidates.items[choice->candidate];
        const struct advise_table *table = candidate->table;
        const char *name = choose_name(run, candidate);
        const char *quoted = tree_identifier(run->arena, name);
        choice->name = name;
        choice->create_sql = pg_script(run->arena, "advise/sql/create.sql",
                                       PG_VARIABLES({"name", quoted},
                                                    {"table", advise_table_name(run->arena, table)},
                                                    {"definition", candidate->definition}));
        choice->drop_sql =
            advise_drop_sql(run->arena, index_name(run->arena, table, name), table->kind == 'p');
        for (size_t j = 0; j < run->statements.count; j++) {
            if (advise_breaks_hot(run, candidate, &run->statements.items[j]))
                *LIST_ADD(run->arena, &choice->unhot) = j;
        }
        for (size_t j = 0; j < table->indexes.count; j++) {
            const struct advise_index *index = &table->indexes.items[j];
            if (!is_replaced(candidate, index))
                continue;
            *LIST_ADD(run->arena, &choice->replaced) = (struct advise_replaced){
                .name = index->name,
                .drop_sql = advise_drop_sql(run->arena, index_name(run->arena, table, index->name),
                                            table->kind == 'p')};
        }
    }
}

/* The statement on one comment line. */
static void
append_remark(struct text *text, const char *sql)
{
    const size_t width = 90;
    size_t start = text->length;
    bool is_space = true;

    text_append(text, "-- ");
    for (; *sql != '\0' && text->length < start + width; sql++) {
        bool is_now = (unsigned char)*sql <= ' ';
        if (!is_now || !is_space)
            text_append_bytes(text, is_now ? " " : sql, 1);
        is_space = is_now;
    }
    size_t whole = text_utf8_length(text->chars + start, text->length - start);
    text->length = start + whole;
    text->chars[text->length] = '\0';
    text_append(text, *sql == '\0' ? "\n" : " ...\n");
}

void
advise_write_accepted(const struct advise *run, struct text *text)
{
    for (size_t i = 0; i < run->choices.count; i++) {
        const struct advise_choice *choice = &run->choices.items[i];
        const struct advise_candidate *candidate = &run->candidates.items[choice->candidate];
        text_append(text, "\n-- Advised for:\n");
        for (size_t j = 0; j < choice->helped.count; j++)
            append_remark(text, run->statements.items[choice->helped.items[j]].text);
        if (candidate->extension != NULL)
            text_appendf(text, "-- It needs the extension %s: declare that in the schema.\n",
                         candidate->extension);
        for (size_t j = 0; j < choice->replaced.count; j++)
            text_appendf(text, "-- It does what %s does, which may go.\n",
                         choice->replaced.items[j].name);
        if (candidate->table->kind == 'm')
            text_append(text, "-- A deck declares none on a materialized view; by hand:\n-- ");
        text_appendf(text, "%s;\n", choice->create_sql);
    }
}

bool
advise_run(struct advise *run, struct error *err)
{
    advise_progress(run, "reading %zu statements", run->statements.count);
    if (!advise_parse(run, err))
        return false;
    advise_progress(run, "planning %zu statements", run->statements.count);
    if (!advise_bind(run, err) || !advise_propose(run, err))
        return false;
    advise_charge(run);
    if (!advise_select(run, err))
        return false;
    advise_finish(run);
    return true;
}
