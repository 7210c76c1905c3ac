// SPDX-License-Identifier: MIT
#include "monitoring/fill.h"

#include "base/text.h"
#include "change/name.h"
#include "deck/units.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char values_mark[] = "/* deck */";
static const char checks_mark[] = "/* checks */";

/* As monitoring.threshold() gives it: percent, seconds with their unit, or a plain number. */
static const char *
level_text(struct arena *arena, const struct deck_alert *alert, double level)
{
    enum { PERCENT = 100, MS = 1000 };

    if (alert->unit == LEVEL_SHARE)
        return arena_printf(arena, "%.15g", level * PERCENT);
    /* As seconds: PostgreSQL 14 takes at most 2^31 of a unit. */
    if (alert->unit == LEVEL_DURATION)
        return arena_printf(arena, "%.15g s", level / MS);
    return arena_printf(arena, "%.0f", level);
}

const char *
monitoring_limit(struct arena *arena, const struct deck *deck, const char *name)
{
    for (size_t i = 0; i < deck->alerts.count; i++) {
        const struct deck_alert *alert = &deck->alerts.items[i];
        size_t length = strlen(alert->name);
        if (strncmp(name, alert->name, length) != 0)
            continue;
        if (strcmp(name + length, "_warning") == 0)
            return level_text(arena, alert, alert->warning);
        if (strcmp(name + length, "_critical") == 0)
            return level_text(arena, alert, alert->critical);
    }
    return NULL;
}

static void
append_value(struct arena *arena, struct text *rows, const char *kind, const char *name,
             const char *value)
{
    text_appendf(rows, ",\n               (%s, %s, %s)", pg_literal(arena, kind),
                 pg_literal(arena, name), pg_literal(arena, value));
}

/* What maintain_partitions() reads of a table by range, or of a part that is one. */
static void
append_partition(struct arena *arena, struct text *rows, const struct deck_partition *partition,
                 const char *table)
{
    json_t *policy =
        json_pack("{s:s, s:s, s:s, s:i, s:s, s:i}", "schema", partition->schema, "table", table,
                  "prefix", arena_printf(arena, "%s_", table), "every", partition->every, "unit",
                  deck_unit_name(partition->unit), "premake", partition->premake);

    if (partition->retain != 0)
        json_object_set_new(policy, "retain",
                            json_string(arena_printf(arena, "%d %s", partition->retain,
                                                     deck_unit_name(partition->retain_unit))));
    if (partition->unit == UNIT_ID)
        json_object_set_new(
            policy, "column",
            json_string(partition->then_range != NULL ? partition->then_range : partition->column));
    if (partition->is_uuidv7)
        json_object_set_new(policy, "uuidv7", json_true());
    if (partition->export != NULL)
        json_object_set_new(policy, "export", json_string(partition->export));
    char *value = json_dumps(policy, JSON_COMPACT | JSON_ENSURE_ASCII);
    append_value(arena, rows, "partition", arena_printf(arena, "%s.%s", partition->schema, table),
                 value);
    free(value);
    json_decref(policy);
}

static void
append_partitions(struct arena *arena, struct text *rows, const struct deck_database *database)
{
    for (size_t i = 0; database->partitions != NULL && i < database->partitions->list.count; i++) {
        const struct deck_partition *partition = &database->partitions->list.items[i];
        if (partition->kind == PARTITION_RANGE)
            append_partition(arena, rows, partition, partition->table);
        for (size_t j = 0; partition->then_range != NULL && j < partition->parts.count; j++)
            append_partition(
                arena, rows, partition,
                change_name(arena, partition->table,
                            arena_printf(arena, "_%s", partition->parts.items[j].name)));
        for (int j = 0; partition->then_range != NULL && j < partition->modulus; j++)
            append_partition(arena, rows, partition,
                             change_name(arena, partition->table, arena_printf(arena, "_h%d", j)));
    }
}

static void
append_values(const struct monitoring_site *site, struct text *rows)
{
    struct arena *arena = site->advice->arena;
    const struct deck *deck = site->advice->deck;
    const struct deck_environment *environment = site->deck->environment;

    for (size_t i = 0; i < deck->alerts.count; i++) {
        const struct deck_alert *alert = &deck->alerts.items[i];
        append_value(arena, rows, "limit", arena_printf(arena, "%s_warning", alert->name),
                     level_text(arena, alert, alert->warning));
        append_value(arena, rows, "limit", arena_printf(arena, "%s_critical", alert->name),
                     level_text(arena, alert, alert->critical));
    }
    append_value(arena, rows, "history", "keep",
                 arena_printf(arena, "%lld s", (long long)environment->history_ms / 1000));
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        if (database->environment->server == environment->server)
            append_value(arena, rows, "environment", database->name, database->environment->name);
    }
    append_partitions(arena, rows, site->deck);
}

static void
append_checks(const struct monitoring_site *site, const struct monitoring_sites *sites,
              struct text *rows)
{
    struct arena *arena = site->advice->arena;

    for (size_t i = 0; i < sites->checks.list.count; i++) {
        const struct monitoring_object *check = &sites->checks.list.items[i];
        if (monitoring_is_served(site, sites, check))
            text_appendf(rows, ",\n    (%s, %s, $check$\n%s\n$check$)",
                         pg_literal(arena, check->name), check->rank, check->sql);
    }
}

const char *
monitoring_fill(const struct monitoring_site *site, const struct monitoring_sites *sites,
                const struct monitoring_object *object)
{
    const char *values = strstr(object->sql, values_mark);
    const char *checks = strstr(object->sql, checks_mark);
    const char *mark = values != NULL ? values : checks;
    AUTO_TEXT script = {0};

    if (mark == NULL)
        return object->sql;
    text_append_bytes(&script, object->sql, (size_t)(mark - object->sql));
    if (values != NULL)
        append_values(site, &script);
    else
        append_checks(site, sites, &script);
    text_append(&script, mark + (values != NULL ? sizeof(values_mark) : sizeof(checks_mark)) - 1);
    return arena_strdup(site->advice->arena, text_chars(&script));
}
