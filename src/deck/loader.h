/* One loading of a deck: what its steps (extend, read, check) share. */
#pragma once
#include "deck/keys.h"
#include "deck/yaml.h"

struct deck_sql_cached {
    const char *path;
    bool is_indexes;
    const struct deck_sql_file *file; /* NULL: it could not be read, and the fault is told */
};

struct deck_loader {
    struct arena *arena;
    struct deck_faults *faults;
    LIST_OF(const char *) files; /* in the order in which they were named, for sorting faults */
    LIST_OF(struct deck_sql_cached) sql;
};

/* Shorthand for a fault with "path: " in front. */
struct error *deck_loader_fault(struct deck_loader *loader, struct place place, const char *format,
                                ...) PRINTF_LIKE(3, 4);
/* path relative to the file in which the node is written (--set: to the current folder). */
const char *deck_loader_path(struct deck_loader *loader, const struct deck_node *node);
/* Reads a file, called by its path in faults; false with a fault at place. */
bool deck_loader_read(struct deck_loader *loader, struct place place, const char *path,
                      char **ret_text, size_t *ret_length);

/* extend.c: the file's node tree with those that it extends merged in, and --set applied. NULL
 * with faults. */
struct deck_node *deck_extend(struct deck_loader *loader, const char *path, const char *const *sets,
                              size_t set_count);
/* read.c: reads a mapping by a table into target. path: where in the deck, "" at the root. */
void deck_read(struct deck_loader *loader, const struct deck_table *table,
               const struct deck_node *node, const char *path, void *target);
/* read_settings.c: names of parameters and their values. */
void deck_read_settings(struct deck_loader *loader, const struct deck_node *node, const char *path,
                        struct deck_settings *ret_settings);
/* check.c: resolves references and looks at what must fit together. */
void deck_check(struct deck_loader *loader, struct deck_root *root, const struct deck_node *node);
/* check_partitions.c: partitions of a database against its schema. */
void deck_check_partitions(struct deck_loader *loader, const struct deck_database *database);
/* check_rollups.c: rollups against the schemas of the databases. */
void deck_check_rollups(struct deck_loader *loader, const struct deck *deck);
/* names.c: adds a fault when PostgreSQL cannot take the name; what: "database". */
bool deck_check_name(struct deck_loader *loader, struct place place, const char *what,
                     const char *name, bool is_role);
/* check_notify.c: what targets of alerts need, and no secret in the deck. */
void deck_check_notify(struct deck_loader *loader, const struct deck *deck,
                       const struct deck_node *node);
