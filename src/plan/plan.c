// SPDX-License-Identifier: MIT
#include "plan/plan.h"

#include "base/text.h"
#include "plan/advisors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEWEST_KNOWN_MAJOR = 18 };

struct pg_target
plan_target(const struct deck_server *server, const char *database)
{
    return (struct pg_target){
        .conninfo = server->conninfo,
        .database = database,
        .password_file = server->password_file,
        .place = server->conninfo_place,
    };
}

static bool
is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* --- the filter --------------------------------------------------------------------------- */

static bool
check_name(const char *name, const char *const *known, const char *what, struct error *err)
{
    for (size_t i = 0; known[i] != NULL; i++) {
        if (strcmp(known[i], name) == 0)
            return true;
    }
    error_set(err, ERROR_USAGE, "there is no %s \"%s\" in the deck", what, name);
    const char *nearest = text_nearest(name, known);
    return nearest == NULL ? false : error_hint(err, "Did you mean \"%s\"?", nearest);
}

static bool
check_filter(struct arena *arena, const struct deck *deck, const struct plan_filter *filter,
             struct error *err)
{
    const char **databases = ARENA_ARRAY(arena, const char *, deck->databases.count + 1);
    const char **names = ARENA_ARRAY(arena, const char *, advisor_count + 1);

    for (size_t i = 0; i < deck->databases.count; i++)
        databases[i] = deck->databases.items[i].name;
    for (size_t i = 0; i < advisor_count; i++)
        names[i] = advisors[i].name;
    for (size_t i = 0; i < filter->database_count; i++) {
        if (!check_name(filter->databases[i], databases, "database", err))
            return false;
    }
    for (size_t i = 0; i < filter->advisor_count; i++) {
        if (!check_name(filter->advisors[i], names, "advisor", err))
            return error_hint(err, "Advisors: settings, schema, index, partition, monitoring, "
                                   "security.");
    }
    return true;
}

static bool
makes_database(const struct change *change, const char *name)
{
    return change->phase == CHANGE_DATABASE && change->action == CHANGE_CREATE &&
           strcmp(change->undo_guard_database, name) == 0;
}

/* With --database the server-wide changes that this database stands on stay: roles, and the
 * database itself. */
static bool
is_wanted(const struct change *change, const struct plan_filter *filter)
{
    if (filter->database_count == 0 || change->phase == CHANGE_ROLE)
        return true;
    if (change->database != NULL)
        return is_among(change->database, filter->databases, filter->database_count);
    if (change->phase != CHANGE_DATABASE)
        return false;
    for (size_t i = 0; i < filter->database_count; i++) {
        if (makes_database(change, filter->databases[i]))
            return true;
    }
    return false;
}

static void
apply_filter(struct plan *plan, const struct plan_filter *filter)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->changes.changes.count; i++) {
        if (is_wanted(&plan->changes.changes.items[i], filter))
            plan->changes.changes.items[kept++] = plan->changes.changes.items[i];
    }
    plan->changes.changes.count = kept;
    kept = 0;
    for (size_t i = 0; i < plan->changes.manual.count; i++) {
        const struct change_manual *manual = &plan->changes.manual.items[i];
        if (filter->database_count == 0 ||
            (manual->database != NULL &&
             is_among(manual->database, filter->databases, filter->database_count)))
            plan->changes.manual.items[kept++] = *manual;
    }
    plan->changes.manual.count = kept;
}

/* --- one server --------------------------------------------------------------------------- */

static bool
check_server(struct plan *plan, const struct plan_server *server, struct error *err)
{
    const struct catalog_server *catalog = &server->catalog;

    if (catalog->is_in_recovery) {
        error_set(err, ERROR_REFUSED, "server \"%s\" is a standby", server->deck->name);
        error_hint(err, "Let the conninfo point at the primary.");
        return error_place(err, server->deck->conninfo_place);
    }
    if (catalog->major > NEWEST_KNOWN_MAJOR)
        change_list_note(&plan->changes, server->deck->name, NULL, server->deck->place,
                         "PostgreSQL %d is newer than the newest version known to this pgdeck "
                         "(%d): planned by what its catalogs say.",
                         catalog->major, NEWEST_KNOWN_MAJOR);
    return true;
}

static const struct advisor *
find_advisor(enum deck_advisor flag)
{
    const struct advisor *advisor = advisors;

    while (advisor->flag != flag)
        advisor++;
    return advisor;
}

static bool
is_active(const struct plan *plan, const struct plan_filter *filter, const struct advisor *advisor)
{
    return (plan->deck->advisors & (unsigned)advisor->flag) != 0 &&
           (filter->advisor_count == 0 ||
            is_among(advisor->name, filter->advisors, filter->advisor_count));
}

/* Without the schema advisor nobody creates a database that is missing: what the others would do
 * in it is left out, and said. */
static void
leave_out_missing(struct plan *plan, const struct plan_server *server)
{
    size_t kept = 0;

    for (size_t i = 0; i < server->catalog.snapshots.count; i++) {
        const struct catalog_database *database = &server->catalog.snapshots.items[i];
        if (!database->exists)
            change_list_note(&plan->changes, server->deck->name, database->name,
                             server->deck->place,
                             "is not there, and the schema advisor, which would create it, has no "
                             "part in this plan: nothing is done in it.");
    }
    for (size_t i = 0; i < plan->changes.changes.count; i++) {
        const struct change *change = &plan->changes.changes.items[i];
        const struct catalog_database *database =
            change->database == NULL || strcmp(change->server, server->deck->name) != 0
                ? NULL
                : catalog_find_database(&server->catalog, change->database);
        if (database == NULL || database->exists)
            plan->changes.changes.items[kept++] = *change;
    }
    plan->changes.changes.count = kept;
}

/* When the journal has the change as done, by the same words of the deck or the same statements,
 * and it is to be done again; NULL: it has not. */
static const char *
done_before(const struct catalog_server *catalog, const struct catalog_database *database,
            const struct change *change)
{
    const struct catalog_memo *memo = catalog_find_memo(catalog, database, change->key);
    const struct catalog_done *done = database ? database->done.items : catalog->done.items;
    size_t count = database ? database->done.count : catalog->done.count;

    if (memo != NULL && change->declared != NULL && strcmp(memo->declared, change->declared) == 0)
        return memo->done_at;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(done[i].key, change->key) == 0 && change->sql != NULL &&
            strcmp(done[i].sql, change->sql) == 0)
            return done[i].done_at;
    }
    return NULL;
}

static void
note_drift(struct plan *plan, const struct catalog_server *catalog)
{
    for (size_t i = 0; i < plan->changes.changes.count; i++) {
        struct change *change = &plan->changes.changes.items[i];
        const struct catalog_database *database =
            change->database == NULL ? NULL : catalog_find_database(catalog, change->database);
        if (change->drift != NULL || change->is_consequence || change->action == CHANGE_RUN ||
            strcmp(change->server, catalog->name) != 0 ||
            (change->database != NULL && database == NULL))
            continue;
        const char *done_at = done_before(catalog, database, change);
        if (done_at != NULL)
            change->drift =
                arena_printf(plan->arena, "pgdeck did this on %s, and it is no longer so", done_at);
    }
}

static bool
advise_server(struct plan *plan, struct plan_server *server, const struct plan_filter *filter,
              struct error *err)
{
    struct advice advice = {
        .arena = plan->arena,
        .deck = plan->deck,
        .server = server->deck,
        .catalog = &server->catalog,
        .changes = &plan->changes,
        .scope = filter->scope,
        .retiring = filter->retiring,
        .creates_tables = is_active(plan, filter, find_advisor(ADVISOR_SCHEMA)),
    };

    plan->changes.advisor = "plan";
    if (!check_server(plan, server, err))
        return false;
    for (size_t i = 0; i < advisor_count; i++) {
        if (!is_active(plan, filter, &advisors[i]))
            continue;
        plan->changes.advisor = advisors[i].name;
        if (!advisors[i].advise(&advice, err))
            return false;
    }
    plan->changes.advisor = "plan";
    note_drift(plan, &server->catalog);
    if (!advice.creates_tables)
        leave_out_missing(plan, server);
    return true;
}

static bool
read_server(struct plan *plan, const struct deck_server *deck_server, struct error *err)
{
    const struct deck *deck = plan->deck;
    struct pg_target target = plan_target(deck_server, NULL);
    const char **names = ARENA_ARRAY(plan->arena, const char *, deck->databases.count + 1);
    size_t count = 0;

    for (size_t i = 0; i < deck->databases.count; i++) {
        if (deck->databases.items[i].environment->server == deck_server)
            names[count++] = deck->databases.items[i].name;
    }
    struct plan_server *server = LIST_ADD(plan->arena, &plan->servers);
    server->deck = deck_server;
    return catalog_read(plan->arena, &target, deck_server->name, names, count, &server->catalog,
                        err);
}

void
plan_release(struct plan *plan)
{
    for (size_t i = 0; i < plan->servers.count; i++)
        catalog_release(&plan->servers.items[i].catalog);
}

static int
compare_identity(const void *left_pointer, const void *right_pointer)
{
    const struct change *left = *(const struct change *const *)left_pointer;
    const struct change *right = *(const struct change *const *)right_pointer;
    int order = strcmp(left->server, right->server);

    if (order == 0)
        order =
            strcmp(left->database ? left->database : "", right->database ? right->database : "");
    return order != 0 ? order : strcmp(left->key, right->key);
}

/* Two changes with one key could not be told apart in the journal: a programmer's mistake. */
static void
assert_unique_keys(const struct plan *plan)
{
    size_t count = plan->changes.changes.count;
    const struct change **sorted = ARENA_ARRAY(plan->arena, const struct change *, count + 1);

    for (size_t i = 0; i < count; i++)
        sorted[i] = &plan->changes.changes.items[i];
    qsort(sorted, count, sizeof(*sorted), compare_identity);
    for (size_t i = 1; i < count; i++) {
        if (compare_identity(&sorted[i - 1], &sorted[i]) != 0)
            continue;
        fprintf(stderr, "pgdeck: internal error: two changes \"%s\"\n", sorted[i]->key);
        abort();
    }
}

bool
plan_make(struct arena *arena, const struct deck *deck, const struct plan_filter *filter,
          struct plan *ret_plan, struct error *err)
{
    struct plan plan = {.arena = arena, .deck = deck, .changes = {.arena = arena}};

    if (!check_filter(arena, deck, filter, err))
        return false;
    for (size_t i = 0; i < deck->servers.count; i++) {
        if (!read_server(&plan, &deck->servers.items[i], err) ||
            !advise_server(&plan, &plan.servers.items[i], filter, err)) {
            plan_release(&plan);
            return false;
        }
    }
    apply_filter(&plan, filter);
    change_list_sort(&plan.changes);
    assert_unique_keys(&plan);
    *ret_plan = plan;
    return true;
}

bool
plan_read(struct arena *arena, const struct deck *deck, struct plan *ret_plan, struct error *err)
{
    struct plan plan = {.arena = arena, .deck = deck, .changes = {.arena = arena}};

    for (size_t i = 0; i < deck->servers.count; i++) {
        if (!read_server(&plan, &deck->servers.items[i], err) ||
            !check_server(&plan, &plan.servers.items[i], err)) {
            plan_release(&plan);
            return false;
        }
    }
    *ret_plan = plan;
    return true;
}

struct plan_summary
plan_summarize(const struct plan *plan)
{
    struct plan_summary summary = {0};

    for (size_t i = 0; i < plan->changes.changes.count; i++) {
        const struct change *change = &plan->changes.changes.items[i];
        size_t *counters[] = {
            [CHANGE_CREATE] = &summary.create,
            [CHANGE_ALTER] = &summary.alter,
            [CHANGE_DROP] = &summary.drop,
            [CHANGE_RUN] = &summary.run,
        };
        ++*counters[change->action];
        summary.restart += change->phase == CHANGE_RESTART;
        summary.destructive += change->is_destructive;
        summary.revocation += change->is_revocation;
    }
    return summary;
}
