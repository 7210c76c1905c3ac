// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "advise/tables.h"
#include "base/embed.h"

/* What a statement asks of a view it asks of the tables behind it. */

enum { MAX_DEPTH = 8 }; /* of views over views */

static struct advise_table *
view_of(const struct advise_tables *tables, long long oid)
{
    for (size_t i = 0; i < tables->list.count; i++) {
        struct advise_table *table = tables->list.items[i];
        if (table->oid == (uint32_t)oid && table->query == NULL)
            return table;
    }
    return NULL;
}

/* The queries of the views that have none yet, and the names in them. */
static bool
read_queries(struct advise *run, const char *oids, struct advise_names *names, bool *ret_is_any,
             struct error *err)
{
    AUTO_PGRESULT result = NULL;

    *ret_is_any = false;
    if (!pg_query(run->catalog, embedded_file("advise/sql/views.sql")->text, 1, &oids, &result,
                  err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct advise_table *view = view_of(&run->tables, pg_integer(result, row, "oid"));
        const char *query = pg_value(result, row, "query");
        struct error ignored = {0};
        if (view == NULL || query == NULL || !tree_parse(query, &view->query, &ignored))
            continue;
        advise_read_names(run->arena, view->query, names);
        *ret_is_any = true;
    }
    return true;
}

static const char *
new_views(struct advise *run)
{
    AUTO_TEXT oids = {0};

    for (size_t i = 0; i < run->tables.list.count; i++) {
        const struct advise_table *table = run->tables.list.items[i];
        if (table->kind == 'v' && table->query == NULL)
            text_appendf(&oids, "%s%u", oids.length == 0 ? "{" : ",", table->oid);
    }
    text_append(&oids, oids.length == 0 ? "" : "}");
    return oids.length == 0 ? NULL : arena_strdup(run->arena, text_chars(&oids));
}

/* A view that is locked stays without its query. */
static bool
read_level(struct advise *run, const char *oids, struct advise_names *names, bool *ret_is_any,
           struct error *err)
{
    struct error fault = {0};
    struct error closing = {0};

    if (!pg_execute(run->catalog, "BEGIN; SET LOCAL search_path = ''", err))
        return false;
    bool is_fine = read_queries(run, oids, names, ret_is_any, &fault) || fault.code == ERROR_LOCKED;
    if (!is_fine)
        *err = fault;
    if (pg_execute(run->catalog, "ROLLBACK", &closing))
        return is_fine;
    if (is_fine)
        *err = closing;
    return false;
}

/* The tables of the names besides those that are known. */
static bool
read_tables(struct advise *run, const struct advise_names *names, struct error *err)
{
    struct advise_tables more;
    size_t known = run->tables.list.count;

    if (!advise_tables_read(run->arena, run->catalog, names, run->schemas, &more, err))
        return false;
    for (size_t i = 0; i < more.list.count; i++) {
        struct advise_table *table = more.list.items[i];
        for (size_t k = 0; k < known; k++) {
            if (run->tables.list.items[k]->oid == table->oid)
                table = run->tables.list.items[k];
        }
        *LIST_ADD(run->arena, &run->tables.written) = more.written.items[i];
        *LIST_ADD(run->arena, &run->tables.list) = table;
    }
    return true;
}

bool
advise_read_views(struct advise *run, struct error *err)
{
    const char *oids;

    for (int depth = 0; depth < MAX_DEPTH && (oids = new_views(run)) != NULL; depth++) {
        struct advise_names names = {0};
        bool is_any;
        if (!read_level(run, oids, &names, &is_any, err))
            return false;
        if (!is_any)
            return true;
        if (!read_tables(run, &names, err))
            return false;
    }
    return true;
}
