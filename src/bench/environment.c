// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include "base/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* --- servers ------------------------------------------------------------------------------- */

static bool
read_server(struct bench_run *run, size_t arm, struct error *err)
{
    struct bench_server *server = &run->results->servers[arm];
    AUTO_PGRESULT rows = NULL;

    if (!bench_ask(&run->sessions[arm], "bench/sql/server.sql", NULL, &rows, err))
        return false;
    server->version = arena_strdup(run->arena, pg_value(rows, 0, "version"));
    server->database = arena_strdup(run->arena, pg_value(rows, 0, "database"));
    server->size_bytes = pg_integer(rows, 0, "size_bytes");
    server->tables = pg_integer(rows, 0, "tables");
    server->partitions = pg_integer(rows, 0, "partitions");
    server->indexes = pg_integer(rows, 0, "indexes");
    server->index_bytes = pg_integer(rows, 0, "index_bytes");
    server->tables_without_statistics = pg_integer(rows, 0, "tables_without_statistics");
    return true;
}

struct differences {
    LIST_OF(struct bench_setting) list;
    size_t equal;
};

static void
add_difference(struct bench_run *run, struct differences *differences, const char *name,
               const char *before, const char *after)
{
    if (strcmp(before, after) == 0) {
        differences->equal++;
        return;
    }
    struct bench_setting *setting = LIST_ADD(run->arena, &differences->list);
    setting->name = arena_strdup(run->arena, name);
    setting->values[BENCH_BEFORE] = arena_strdup(run->arena, before);
    setting->values[BENCH_AFTER] = arena_strdup(run->arena, after);
}

/* Asks both for names and values, sorted by name bytewise. */
static bool
compare(struct bench_run *run, const char *path, struct differences *differences, struct error *err)
{
    AUTO_PGRESULT before = NULL;
    AUTO_PGRESULT after = NULL;
    int i = 0;
    int j = 0;

    if (!bench_ask(&run->sessions[BENCH_BEFORE], path, NULL, &before, err) ||
        !bench_ask(&run->sessions[BENCH_AFTER], path, NULL, &after, err))
        return false;
    while (i < PQntuples(before) || j < PQntuples(after)) {
        bool has_before = i < PQntuples(before);
        bool has_after = j < PQntuples(after);
        const char *left = has_before ? pg_value(before, i, "name") : "";
        const char *right = has_after ? pg_value(after, j, "name") : "";
        int order = !has_before ? 1 : !has_after ? -1 : strcmp(left, right);
        add_difference(run, differences, order <= 0 ? left : right,
                       order <= 0 ? pg_value(before, i, "value") : "",
                       order >= 0 ? pg_value(after, j, "value") : "");
        i += order <= 0;
        j += order >= 0;
    }
    return true;
}

bool
bench_read_servers(struct bench_run *run, struct error *err)
{
    struct bench_results *results = run->results;
    struct differences settings = {0};
    struct differences objects = {0};

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (!read_server(run, arm, err))
            return false;
    }
    if (!compare(run, "bench/sql/settings.sql", &settings, err) ||
        !compare(run, "bench/sql/objects.sql", &objects, err))
        return false;
    results->settings.items = settings.list.items;
    results->settings.count = settings.list.count;
    results->equal_settings = settings.equal;
    results->objects.items = objects.list.items;
    results->objects.count = objects.list.count;
    results->equal_objects = objects.equal;
    return true;
}

/* --- machine ------------------------------------------------------------------------------- */

/* Where a file of /proc or /etc has a line that begins with key: what follows it, without quotes.
 */
static const char *
read_line(struct arena *arena, const char *path, const char *key)
{
    char *text;
    size_t length;
    struct error ignored;

    if (!file_read(arena, path, &text, &length, &ignored))
        return "";
    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        line += strlen(key);
        line += strspn(line, "\t :=\"");
        return arena_strndup(arena, line, strcspn(line, "\"\n"));
    }
    return "";
}

void
bench_read_machine(struct bench_run *run)
{
    struct bench_machine *machine = &run->results->machine;
    struct utsname name;
    double loads[1] = {0};

    machine->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    machine->memory_bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    machine->cpu = read_line(run->arena, "/proc/cpuinfo", "model name");
    machine->system = read_line(run->arena, "/etc/os-release", "PRETTY_NAME");
    machine->kernel =
        uname(&name) == 0 ? arena_printf(run->arena, "%s %s", name.sysname, name.release) : "";
    if (getloadavg(loads, 1) == 1)
        machine->load_before = loads[0];
}
