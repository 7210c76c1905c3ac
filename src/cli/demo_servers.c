// SPDX-License-Identifier: MIT
#include "cli/demo.h"

#include "alert/store.h"
#include "base/file.h"
#include "base/state.h"
#include "base/text.h"
#include "pg/host.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SHIPPED_DECK "decks/saas-control-deck/demo.yaml"
#define MEGABYTE ((int64_t)1 << 20)

static const char *const server_names[DEMO_SERVERS] = {"demo-stock", "demo-deck"};

struct pg_target
demo_target(const struct demo *demo, enum demo_role role, const char *database)
{
    return (struct pg_target){
        .conninfo = local_server_conninfo(demo->cli->arena, &demo->servers[role], database),
        .is_application = true};
}

/* --- the deck to show --------------------------------------------------------------------- */

/* Beside the program (a build folder in the sources, an installation), else where it was built
 * for or from. */
static const char *
find_shipped_deck(struct arena *arena)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    const char *candidates[4] = {NULL};
    size_t count = 0;

    if (length > 0) {
        program[length] = '\0';
        *strrchr(program, '/') = '\0';
        candidates[count++] = arena_printf(arena, "%s/../" SHIPPED_DECK, program);
        candidates[count++] = arena_printf(arena, "%s/../share/pgdeck/" SHIPPED_DECK, program);
    }
    candidates[count++] = PGDECK_DATA_DIR "/" SHIPPED_DECK;
    candidates[count++] = PGDECK_SOURCE_DIR "/" SHIPPED_DECK;
    for (size_t i = 0; i < count; i++) {
        if (file_exists(candidates[i]))
            return candidates[i];
    }
    return NULL;
}

static bool
find_template(struct demo *demo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    char real[PATH_MAX];
    char *text;
    size_t length;

    if (demo->template_path == NULL)
        demo->template_path = find_shipped_deck(arena);
    if (demo->template_path == NULL) {
        error_set(err, ERROR_FILE, "the deck that comes with pgdeck is not where it was installed");
        return error_hint(err, "Give the path of " SHIPPED_DECK " with --deck.");
    }
    if (realpath(demo->template_path, real) == NULL)
        return error_errno(err, "cannot open \"%s\"", demo->template_path);
    demo->template_path = arena_strdup(arena, real);
    const char *data = file_path_beside(arena, real, "data.sql");
    if (!file_read(arena, data, &text, &length, err))
        return error_hint(err, "The demo fills the databases with what data.sql beside the deck "
                               "generates.");
    demo->data_sql = text;
    return true;
}

/* The one of the biggest environment that comes first. */
static bool
find_measured(struct demo *demo, struct error *err)
{
    const struct deck *deck = demo->deck;

    demo->measured = NULL;
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        if (database->workload == NULL || database->schema == NULL)
            continue;
        if (demo->measured == NULL ||
            database->environment->memory_bytes > demo->measured->environment->memory_bytes)
            demo->measured = database;
    }
    if (demo->measured == NULL)
        return error_set(err, ERROR_DECK, "no database of \"%s\" has a schema and a workload",
                         demo->template_path);
    return true;
}

static bool
load_deck(struct demo *demo, const char *path, struct error *err)
{
    demo->cli->deck_path = path;
    demo->deck = cli_load_deck(demo->cli, err);
    return demo->deck != NULL && find_measured(demo, err);
}

/* Measured: size 1000 takes 1.6 GB on stock and 2.4 GB on deck, write-ahead log included. */
static bool
check_space(const struct demo *demo, const char *folder, struct error *err)
{
    struct statvfs status;
    int64_t needed = (600 + (int64_t)demo->size * 4) * MEGABYTE;

    if (statvfs(folder, &status) != 0)
        return error_errno(err, "cannot tell the free space of \"%s\"", folder);
    int64_t available = (int64_t)status.f_bavail * (int64_t)status.f_frsize;
    if (available >= needed)
        return true;
    error_set(err, ERROR_DISK_FULL, "the demo needs %lld MB in \"%s\", %lld MB are free",
              (long long)(needed / MEGABYTE), folder, (long long)(available / MEGABYTE));
    return error_hint(err, "Set PGDECK_STATE_DIR to a folder with more, or give a smaller --size.");
}

bool
demo_prepare(struct demo *demo, struct error *err)
{
    return find_template(demo, err) && load_deck(demo, demo->template_path, err) &&
           check_space(demo, demo->folder, err);
}

/* --- servers ------------------------------------------------------------------------------ */

static bool
remove_earlier(struct demo *demo, const char *name, struct error *err)
{
    struct local_server server;
    bool is_there;

    if (!local_server_find(demo->cli->arena, name, &server, &is_there, err))
        return false;
    if (!is_there)
        return true;
    if (!server.is_demo) {
        error_set(err, ERROR_REFUSED, "server \"%s\" is there and is not a demo's", name);
        return error_hint(err, "If it is not needed: pgdeck down %s --destroy.", name);
    }
    return local_server_destroy(&server, err);
}

static bool
make_server(struct demo *demo, const struct local_programs *programs, enum demo_role role,
            struct error *err)
{
    struct arena *arena = demo->cli->arena;
    const struct local_recipe recipe = {
        .name = server_names[role], .programs = *programs, .is_demo = true, .is_brief = true};

    if (!remove_earlier(demo, recipe.name, err) ||
        !local_server_create(arena, &recipe, &demo->servers[role], err))
        return false;
    demo->is_made[role] = true;
    return local_server_start(arena, &demo->servers[role], err);
}

/* A string of YAML: JSON's are. NULL when it is not UTF-8. */
static char *
quote(struct arena *arena, const char *value)
{
    json_t *string = json_string(value);
    char *text = string == NULL ? NULL : json_dumps(string, JSON_ENCODE_ANY);
    char *kept = text == NULL ? NULL : arena_strdup(arena, text);

    json_decref(string);
    free(text);
    return kept;
}

/* Where the environments' shares would not fit, all are made smaller alike; an eighth stays for
 * what belongs to none. */
static void
add_shares(const struct deck *deck, int64_t memory, struct text *yaml)
{
    int64_t wanted = 0;

    for (size_t i = 0; i < deck->environments.count; i++)
        wanted += deck->environments.items[i].memory_bytes;
    if (wanted <= memory)
        return;
    text_append(yaml, "environments: # smaller than in the deck: this machine has less memory\n");
    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        double share = (double)environment->memory_bytes / (double)wanted;
        int64_t bytes = (int64_t)((double)memory * 7 / 8 * share);
        text_appendf(yaml, "  %s: {memory: %lldMB}\n", environment->name,
                     (long long)(bytes / MEGABYTE));
    }
}

/* Where services come in with --keep: through a pool on ports of its own. */
static bool
add_pooler(struct demo *demo, struct text *yaml, struct error *err)
{
    int port, metrics_port;

    for (size_t i = 0; i < demo->deck->databases.count; i++)
        demo->has_pool |= demo->deck->databases.items[i].services.count > 0;
    if (!demo->has_pool)
        return true;
    if (!local_pick_port(0, &port, err))
        return false;
    do {
        if (!local_pick_port(0, &metrics_port, err))
            return false;
    } while (metrics_port == port);
    text_appendf(yaml, "pooler: {port: %d, metrics_port: %d}\n", port, metrics_port);
    return true;
}

static bool
write_deck(struct demo *demo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    AUTO_TEXT yaml = {0};
    int64_t memory = host_memory_bytes() / 2;
    int64_t most = (int64_t)8192 * MEGABYTE;
    const char *conninfo =
        local_server_tls_conninfo(arena, &demo->servers[DEMO_DECK], NULL, NULL, NULL);
    char *base = quote(arena, demo->template_path);
    char *target = quote(arena, conninfo);

    if (base == NULL || target == NULL)
        return error_set(err, ERROR_FILE, "a path is not UTF-8: \"%s\"", demo->template_path);
    memory = memory == 0 || memory > most ? most : memory;
    text_appendf(&yaml,
                 "# Written by pgdeck demo: the deck that it extends, for the demo's own server.\n"
                 "extends: %s\nservers:\n",
                 base);
    for (size_t i = 0; i < demo->deck->servers.count; i++)
        text_appendf(&yaml, "  %s:\n    conninfo: %s\n    memory: %lldMB\n    cpus: %d\n",
                     demo->deck->servers.items[i].name, target, (long long)(memory / MEGABYTE),
                     host_cpus());
    add_shares(demo->deck, memory, &yaml);
    if (!add_pooler(demo, &yaml, err))
        return false;
    demo->deck_path = arena_printf(arena, "%s/deck.yaml", demo->folder);
    return file_write(demo->deck_path, text_chars(&yaml), yaml.length, 0644, err);
}

bool
demo_make_servers(struct demo *demo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    struct local_programs programs;
    int lock;

    if (!local_programs_find(arena, 0, &programs, err) || !local_lock(arena, &lock, err))
        return false;
    bool is_fine = make_server(demo, &programs, DEMO_STOCK, err) &&
                   make_server(demo, &programs, DEMO_DECK, err);
    local_unlock(lock);
    return is_fine && write_deck(demo, err) && load_deck(demo, demo->deck_path, err) &&
           alert_forget(arena, demo->deck, err); /* an earlier demo's deck was there, too */
}
