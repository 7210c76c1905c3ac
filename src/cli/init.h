/* What pgdeck init makes of a live server: the texts of deck.yaml and of the index files. In the
 * arena of the command. */
#pragma once
#include "deck/deck.h"
#include "pg/catalog.h"

struct init_file {
    const char *path; /* below the output folder */
    const char *text;
};

struct init_database {
    const struct catalog_database *catalog;
    const char *indexes_path; /* NULL: it has no indexes of its own */
    struct deck_partitions partitions;
};

struct init_deck {
    const char *name;
    const char *conninfo; /* without a password */
    const struct catalog_server *server;
    LIST_OF(struct init_database) databases;
    LIST_OF(struct init_file) files; /* of indexes */
    LIST_OF(const char *) remarks;   /* what was not taken over, and why; one line each */
    size_t index_count, partitioned_count, role_count;
};

/* init_indexes.c: fills indexes_path of each database and adds the files. */
void init_read_indexes(struct arena *arena, struct init_deck *deck);
/* init_partitions.c: fills partitions of each database, as they stand today (days since
 * 1970-01-01). */
void init_read_partitions(struct arena *arena, struct init_deck *deck, long long today);
/* init_yaml.c: the text of deck.yaml, also counts roles. NULL with err when it cannot be written.
 */
const char *init_yaml(struct arena *arena, struct init_deck *deck, struct error *err);
/* Adds a remark; control characters in it are replaced. */
void init_remark(struct arena *arena, struct init_deck *deck, const char *format, ...)
    PRINTF_LIKE(3, 4);
