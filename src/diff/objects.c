// SPDX-License-Identifier: MIT
#include "base/embed.h"
#include "diff/diff.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One thing in a database. */
struct entry {
    const char *kind, *name, *definition;
};

struct trace { /* what pgdeck did to a thing */
    const char *key, *state, *at;
};

/* All things of one database. */
struct inventory {
    struct diff *diff;
    const struct diff_side *side;
    const struct deck_database *deck;
    const struct catalog_database *snapshot;
    LIST_OF(struct entry) entries;
    LIST_OF(struct trace) traces;
};

/* --- taking stock ------------------------------------------------------------------------- */

static void
add(struct inventory *inventory, const char *kind, const char *name, const char *definition)
{
    bool is_own_form = strcmp(kind, "view") == 0 || strcmp(kind, "monitoring") == 0;

    if (is_own_form && !diff_is_one_version(inventory->diff))
        definition = "of another version";
    *LIST_ADD(inventory->diff->arena, &inventory->entries) = (struct entry){kind, name, definition};
}

static const char *
full_name(const struct inventory *inventory, const char *schema, const char *name)
{
    return arena_printf(inventory->diff->arena, "%s.%s", schema, name);
}

static const char *
label_of(const struct inventory *inventory, const char *role)
{
    return diff_role_label(inventory->diff->arena, inventory->side->advice.deck,
                           inventory->side->environment, role);
}

static void
add_indexes(struct inventory *inventory)
{
    const struct catalog_database *snapshot = inventory->snapshot;

    for (size_t i = 0; i < snapshot->indexes.count; i++) {
        const struct catalog_index *index = &snapshot->indexes.items[i];
        if (index->is_partition || index->is_constraint || strcmp(index->schema, "monitoring") == 0)
            continue;
        const struct catalog_table *table = catalog_table_by_oid(snapshot, index->table_oid);
        if (table != NULL && table->parent_oid != 0) /* of one partition alone */
            continue;
        add(inventory, "index", full_name(inventory, index->schema, index->name),
            arena_printf(inventory->diff->arena, "%s%s%s%s%s", index->is_valid ? "" : "invalid ",
                         index->is_unique ? "unique " : "", index->definition,
                         table == NULL ? "" : " on ", table == NULL ? "" : table->name));
    }
}

static void
add_rights(struct inventory *inventory)
{
    struct diff *diff = inventory->diff;
    const struct catalog_database *snapshot = inventory->snapshot;

    for (size_t i = 0; i < snapshot->tables.count; i++) {
        const struct catalog_table *table = &snapshot->tables.items[i];
        const char *name = full_name(inventory, table->schema, table->name);
        if (table->parent_oid != 0 || strcmp(table->schema, "monitoring") == 0)
            continue;
        add(inventory, "owner", arena_printf(diff->arena, "table %s", name),
            label_of(inventory, table->owner));
        add(inventory, "rights", arena_printf(diff->arena, "table %s", name),
            diff_rights(diff, inventory->side, table->acl));
    }
    for (size_t i = 0; i < snapshot->schema_acl_count; i++) { /* schema|owner|acl */
        char *schema = arena_strdup(diff->arena, snapshot->schema_acls[i]);
        char *owner = schema + strcspn(schema, "|");
        char *acl = owner + 1 + strcspn(owner + 1, "|");
        if (*owner == '\0' || *acl == '\0')
            continue;
        *owner++ = *acl++ = '\0';
        if (strcmp(schema, "pgdeck") == 0)
            continue;
        add(inventory, "schema", schema, "");
        add(inventory, "rights", arena_printf(diff->arena, "schema %s", schema),
            diff_rights(diff, inventory->side, acl));
    }
}

static void
add_database(struct inventory *inventory)
{
    const struct catalog_server *catalog = inventory->side->advice.catalog;

    for (size_t i = 0; i < catalog->databases.count; i++) {
        const struct catalog_database_entry *database = &catalog->databases.items[i];
        if (strcmp(database->name, inventory->snapshot->name) != 0)
            continue;
        add(inventory, "owner", "the database", label_of(inventory, database->owner));
        add(inventory, "rights", "the database",
            diff_rights(inventory->diff, inventory->side, database->acl));
    }
    for (size_t i = 0; i < inventory->snapshot->default_acl_count; i++) { /* role|schema|type|acl */
        char *role = arena_strdup(inventory->diff->arena, inventory->snapshot->default_acls[i]);
        char *rest = role + strcspn(role, "|");
        char *acl = strrchr(rest, '|');
        if (acl == NULL || acl == rest)
            continue;
        *rest++ = *acl++ = '\0';
        add(inventory, "rights",
            arena_printf(inventory->diff->arena, "new objects of %s (%s)",
                         label_of(inventory, role), rest),
            diff_rights(inventory->diff, inventory->side, acl));
    }
}

static void
add_parts_of_others(struct inventory *inventory)
{
    const struct catalog_database *snapshot = inventory->snapshot;

    for (size_t i = 0; i < snapshot->extensions.count; i++)
        add(inventory, "extension", snapshot->extensions.items[i].name,
            arena_printf(inventory->diff->arena, "version %s in %s",
                         snapshot->extensions.items[i].version,
                         snapshot->extensions.items[i].schema));
    for (size_t i = 0; i < snapshot->monitoring.count; i++)
        add(inventory, "monitoring",
            arena_printf(inventory->diff->arena, "%s %s", snapshot->monitoring.items[i].kind,
                         snapshot->monitoring.items[i].name),
            arena_printf(inventory->diff->arena, "md5 %s", snapshot->monitoring.items[i].hash));
}

static int
compare_entries(const void *left_pointer, const void *right_pointer)
{
    const struct entry *left = left_pointer, *right = right_pointer;
    int order = strcmp(left->kind, right->kind);

    return order != 0 ? order : strcmp(left->name, right->name);
}

static bool
read_journal(struct inventory *inventory, struct error *err)
{
    struct arena *arena = inventory->diff->arena;
    AUTO_PGRESULT result = NULL;

    if (!inventory->snapshot->has_journal)
        return true;
    if (!pg_query(inventory->snapshot->connection, embedded_file("diff/sql/journal.sql")->text, 0,
                  NULL, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        *LIST_ADD(arena, &inventory->traces) = (struct trace){
            pg_keep_text(arena, result, row, "key"), pg_keep_text(arena, result, row, "state"),
            pg_keep_text(arena, result, row, "at")};
    return true;
}

static bool
take_stock(struct inventory *inventory, struct error *err)
{
    struct arena *arena = inventory->diff->arena;
    AUTO_PGRESULT result = NULL;

    if (!pg_query(inventory->snapshot->connection, embedded_file("diff/sql/definitions.sql")->text,
                  0, NULL, &result, err) ||
        !read_journal(inventory, err))
        return error_wrap(err, "database \"%s\"", inventory->snapshot->name);
    for (int row = 0; row < PQntuples(result); row++)
        add(inventory, pg_keep_text(arena, result, row, "kind"),
            pg_keep_text(arena, result, row, "name"),
            pg_keep_text(arena, result, row, "definition"));
    add_indexes(inventory);
    add_rights(inventory);
    add_database(inventory);
    add_parts_of_others(inventory);
    if (inventory->entries.count > 1)
        qsort(inventory->entries.items, inventory->entries.count, sizeof(struct entry),
              compare_entries);
    return true;
}

/* --- why ---------------------------------------------------------------------------------- */

static const struct trace *
find_trace(const struct inventory *inventory, const struct entry *entry)
{
    const char *key = arena_printf(inventory->diff->arena, "%s %s", entry->kind, entry->name);

    for (size_t i = 0; i < inventory->traces.count; i++) {
        if (strcmp(inventory->traces.items[i].key, key) == 0)
            return &inventory->traces.items[i];
    }
    return NULL;
}

/* By whom it is there or not, as far as the journal tells. */
static const char *
why_of(const struct inventory *inventory, const struct entry *entry, bool is_there)
{
    struct arena *arena = inventory->diff->arena;
    const struct trace *trace = find_trace(inventory, entry);
    bool is_kept = strcmp(entry->kind, "table") == 0 || strcmp(entry->kind, "index") == 0 ||
                   strcmp(entry->kind, "view") == 0 || strcmp(entry->kind, "type") == 0 ||
                   strcmp(entry->kind, "sequence") == 0;

    if (trace != NULL && strcmp(trace->state, "done") == 0)
        return arena_printf(
            arena, is_there ? "pgdeck made it on %s" : "pgdeck made it on %s; it was dropped since",
            trace->at);
    if (trace != NULL && strcmp(trace->state, "undone") == 0)
        return arena_printf(arena, "pgdeck took it back on %s%s", trace->at,
                            is_there ? "; it was made again since" : "");
    if (!is_kept || inventory->snapshot == NULL)
        return "";
    return is_there ? "not made by pgdeck" : "pgdeck never made it here";
}

/* The deck may have given them different files. */
static const char *
with_file(const struct inventory *inventory, const struct inventory *other,
          const struct entry *entry, const char *why)
{
    bool is_index = strcmp(entry->kind, "index") == 0;
    const struct deck_sql_file *file =
        is_index ? inventory->deck->indexes : inventory->deck->schema;
    const struct deck_sql_file *others = is_index ? other->deck->indexes : other->deck->schema;
    bool is_right = strcmp(entry->kind, "rights") == 0 || strcmp(entry->kind, "owner") == 0 ||
                    strcmp(entry->kind, "extension") == 0 || strcmp(entry->kind, "monitoring") == 0;

    bool is_same =
        file == others || (file != NULL && others != NULL && strcmp(file->path, others->path) == 0);

    if (is_same || is_right)
        return why;
    return arena_printf(inventory->diff->arena, "%s%sby the deck it has %s%s", why,
                        why[0] == '\0' ? "" : "; ", file == NULL ? "no file" : "the file ",
                        file == NULL ? "" : file->path);
}

/* --- comparing ---------------------------------------------------------------------------- */

static void
add_difference(const struct inventory *left, const struct inventory *right,
               const struct diff_pair *pair, const struct entry *left_entry,
               const struct entry *right_entry)
{
    const struct entry *entry = left_entry != NULL ? left_entry : right_entry;

    assert(entry != NULL);
    struct diff_item item = {
        .kind = entry->kind,
        .pair = pair,
        .name = entry->name,
        .left = left_entry == NULL ? NULL : left_entry->definition,
        .right = right_entry == NULL ? NULL : right_entry->definition,
        .left_why = with_file(left, right, entry, why_of(left, entry, left_entry != NULL)),
        .right_why = with_file(right, left, entry, why_of(right, entry, right_entry != NULL)),
    };
    diff_add(left->diff, &item);
}

/* The table of which it is a column, constraint, right ...; NULL: it is none. */
static const char *
table_of(const struct entry *entry)
{
    static const char *const parts[] = {"column", "constraint", "trigger", "policy", NULL};
    static const char *const prefix = "table ";
    bool is_right = strcmp(entry->kind, "owner") == 0 || strcmp(entry->kind, "rights") == 0;

    if (is_right && strncmp(entry->name, prefix, strlen(prefix)) == 0)
        return entry->name + strlen(prefix);
    for (const char *const *part = parts; *part != NULL; part++) {
        if (strcmp(*part, entry->kind) == 0)
            return entry->name;
    }
    return NULL;
}

static bool
has_entry(const struct inventory *inventory, const struct entry *entry)
{
    return inventory->entries.count > 0 &&
           bsearch(entry, inventory->entries.items, inventory->entries.count, sizeof(*entry),
                   compare_entries) != NULL;
}

/* What belongs to a table that is missing as a whole is not told as well. Names may have dots. */
static bool
is_part_of_missing(const struct inventory *other, const struct entry *entry)
{
    const char *name = table_of(entry);

    if (name == NULL)
        return false;
    for (size_t length = strlen(name); length > 0; length--) {
        if (name[length] != '\0' && name[length] != '.')
            continue;
        struct entry table = {"table", arena_strndup(other->diff->arena, name, length), ""};
        if (has_entry(other, &table))
            return false;
    }
    return true;
}

static void
compare(const struct inventory *left, const struct inventory *right, const struct diff_pair *pair)
{
    size_t i = 0, j = 0;

    while (i < left->entries.count || j < right->entries.count) {
        const struct entry *l = i < left->entries.count ? &left->entries.items[i] : NULL;
        const struct entry *r = j < right->entries.count ? &right->entries.items[j] : NULL;
        int order = l == NULL ? 1 : r == NULL ? -1 : compare_entries(l, r);
        i += order <= 0;
        j += order >= 0;
        if (order < 0 && !is_part_of_missing(right, l))
            add_difference(left, right, pair, l, NULL);
        else if (order > 0 && !is_part_of_missing(left, r))
            add_difference(left, right, pair, NULL, r);
        else if (order == 0 && strcmp(l->definition, r->definition) != 0)
            add_difference(left, right, pair, l, r);
    }
}

bool
diff_objects(struct diff *diff, const struct diff_pair *pair, struct error *err)
{
    struct inventory left = {.diff = diff, .side = &diff->left, .deck = pair->left};
    struct inventory right = {.diff = diff, .side = &diff->right, .deck = pair->right};

    left.snapshot = catalog_find_database(diff->left.advice.catalog, pair->left->name);
    right.snapshot = catalog_find_database(diff->right.advice.catalog, pair->right->name);
    if (!take_stock(&left, err) || !take_stock(&right, err))
        return false;
    compare(&left, &right, pair);
    return true;
}
