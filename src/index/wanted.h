/* An index as the deck declares it, and its canonical form, which only the server knows: it is
 * built on an empty copy of the table in a transaction that is rolled back. */
#pragma once
#include "deck/deck.h"
#include "pg/catalog.h"

struct index_wanted {
    const struct deck_statement *statement;
    const char *schema, *table, *name;
    const char *key;      /* "index public.ai_tasks_pending" */
    const char *declared; /* hash of the statement */
    /* UNIQUE where it is, and pg_get_indexdef from USING on; NULL until index_probe */
    const char *canonical;
};

struct index_wanted_list {
    LIST_OF(struct index_wanted) list;
};

/* All CREATE INDEX statements of a database's schema and index files, in their order. */
void index_collect(struct arena *arena, const struct deck_database *database,
                   struct index_wanted_list *ret_list);

/* Sets canonical of each; their tables must exist. Takes ACCESS SHARE on the tables and leaves
 * nothing behind. Errors: what the server says of a statement, with its place. */
bool index_probe(struct arena *arena, PGconn *connection, struct index_wanted *const *wanted,
                 size_t count, struct error *err) MUST_CHECK;

/* The same text of an index that is there. */
const char *index_canonical(struct arena *arena, const struct catalog_index *index);

/* CREATE INDEX from a canonical text. concurrently and only: as in SQL. */
const char *index_create_sql(struct arena *arena, const char *canonical, const char *schema,
                             const char *table, const char *name, bool is_concurrent);
const char *index_create_only_sql(struct arena *arena, const char *canonical, const char *schema,
                                  const char *table, const char *name);
/* What the plan shows for a partitioned table. */
const char *index_outline_sql(struct arena *arena, const char *canonical, const char *schema,
                              const char *table, const char *name);
