// SPDX-License-Identifier: MIT
#include "settings/check_server.h"

#include "base/embed.h"
#include "base/file.h"
#include "deck/fault.h"
#include "pg/script.h"
#include "settings/libraries.h"
#include "settings/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static struct error *
refuse(const struct settings_view *view, const struct settings_figure *figure, const char *text)
{
    return deck_fault(view->arena, view->faults, figure->deck->value_place, "%s.%s: %s",
                      figure->path, figure->setting->name, text);
}

/* A parameter that the deck sets. */
static bool
read_wanted(const struct settings_view *view, const char *name, struct settings_figure *ret_figure)
{
    return view->read(view->source, name, ret_figure) && ret_figure->deck != NULL;
}

/* --- files -------------------------------------------------------------------------------- */

void
settings_check_libraries(const struct settings_view *view, const struct settings_input *input,
                         const struct settings_figure *figure)
{
    bool is_local = strcmp(figure->setting->name, "local_preload_libraries") == 0;
    char **words;
    size_t count = setting_words(view->arena, figure->value, &words);
    const char **names = ARENA_ARRAY(view->arena, const char *, count + 1);
    enum settings_library *found = ARENA_ARRAY(view->arena, enum settings_library, count + 1);

    for (size_t i = 0; i < count; i++) {
        bool is_plugin = is_local && strchr(words[i], '/') == NULL;
        names[i] = is_plugin ? arena_printf(view->arena, "$libdir/plugins/%s", words[i]) : words[i];
    }
    settings_libraries_find(view->arena, input->catalog, names, count, found);
    for (size_t i = 0; i < count; i++) {
        if (found[i] != LIBRARY_MISSING)
            continue;
        struct error *fault =
            refuse(view, figure,
                   arena_printf(view->arena, "the library \"%s\" is not installed on the server",
                                words[i]));
        error_hint(fault, "The server would not start, or nobody could connect: install it first.");
    }
}

static void
check_preload(const struct settings_view *view, const struct settings_input *input)
{
    static const char *const names[] = {"shared_preload_libraries", "session_preload_libraries",
                                        "local_preload_libraries"};
    struct settings_figure figure;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (read_wanted(view, names[i], &figure))
            settings_check_libraries(view, input, &figure);
    }
}

/* Whether the server finds the file; true as well when nobody may know. */
static bool
is_file_there(const struct settings_view *view, const struct settings_input *input,
              const char *name)
{
    const char *const values[] = {pg_text_array(view->arena, &name, 1)};
    AUTO_PGRESULT result = NULL;
    struct error err;

    return input->catalog->connection == NULL || !input->catalog->can_stat_files ||
           !pg_query(input->catalog->connection, embedded_file("settings/sql/files.sql")->text, 1,
                     values, &result, &err) ||
           PQntuples(result) != 1 || pg_bool(result, 0, "is_there");
}

static void
check_tls_files(const struct settings_view *view, const struct settings_input *input)
{
    static const char *const names[] = {"ssl_cert_file", "ssl_key_file"};
    struct settings_figure ssl, file;
    bool is_on;

    if (!view->read(view->source, "ssl", &ssl) || !setting_boolean(ssl.value, &is_on) || !is_on)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!view->read(view->source, names[i], &file) || file.value[0] == '\0' ||
            (ssl.deck == NULL && file.deck == NULL) || is_file_there(view, input, file.value))
            continue;
        struct error *fault = refuse(
            view, file.deck != NULL ? &file : &ssl,
            arena_printf(view->arena, "the server has no file \"%s\" (%s)", file.value, names[i]));
        error_hint(fault, "With ssl on it does not start without a certificate and its key.");
    }
}

/* --- the host ----------------------------------------------------------------------------- */

/* Whether a socket can be bound to it here, as the server will. */
static bool
is_address_here(const char *name)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    bool is_here = false;

    if (getaddrinfo(strcmp(name, "*") == 0 ? NULL : name, "0", &hints, &list) != 0)
        return false;
    for (const struct addrinfo *one = list; one != NULL && !is_here; one = one->ai_next) {
        int fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
        if (fd < 0)
            continue;
        is_here = bind(fd, one->ai_addr, one->ai_addrlen) == 0 || errno != EADDRNOTAVAIL;
        close(fd);
    }
    freeaddrinfo(list);
    return is_here;
}

static void
check_addresses(const struct settings_view *view, const struct settings_input *input)
{
    struct settings_figure figure;
    char **words;

    if (!input->catalog->is_local || !read_wanted(view, "listen_addresses", &figure))
        return;
    size_t count = setting_words(view->arena, figure.value, &words);
    for (size_t i = 0; i < count; i++) {
        if (is_address_here(words[i]))
            continue;
        struct error *fault = refuse(
            view, &figure,
            arena_printf(view->arena, "\"%s\" is no address of the server's host", words[i]));
        error_hint(fault, "The server could not listen there.");
    }
}

/* HugePages_Total x Hugepagesize of /proc/meminfo, in bytes. */
static bool
read_huge_pages(struct arena *arena, int64_t *ret_bytes)
{
    char *text;
    size_t length;
    struct error err;
    long long pages, kilobytes;

    if (!file_read(arena, "/proc/meminfo", &text, &length, &err))
        return false;
    const char *total = strstr(text, "HugePages_Total:");
    const char *size = strstr(text, "Hugepagesize:");
    if (total == NULL || sscanf(total, "HugePages_Total: %lld", &pages) != 1)
        pages = 0;
    if (size == NULL || sscanf(size, "Hugepagesize: %lld kB", &kilobytes) != 1)
        kilobytes = 0;
    *ret_bytes = (int64_t)pages * kilobytes * 1024;
    return true;
}

static void
check_huge_pages(const struct settings_view *view, const struct settings_input *input)
{
    struct settings_figure figure, buffers;
    int64_t reserved, needed;
    bool is_on;

    if (!input->catalog->is_local || !read_wanted(view, "huge_pages", &figure) ||
        !setting_boolean(figure.value, &is_on) || !is_on || /* try is no boolean */
        !view->read(view->source, "shared_buffers", &buffers) ||
        !setting_bytes(buffers.setting, buffers.value, &needed) ||
        !read_huge_pages(view->arena, &reserved) || reserved >= needed)
        return;
    struct error *fault =
        refuse(view, &figure,
               arena_printf(view->arena,
                            "the host has reserved %s for huge pages, less than shared_buffers %s",
                            reserved == 0 ? "nothing" : setting_size(view->arena, reserved),
                            setting_size(view->arena, needed)));
    error_hint(fault, "The server would not start: reserve them first (vm.nr_hugepages), or try.");
}

static void
check_io_method(const struct settings_view *view, const struct settings_input *input)
{
    struct settings_figure figure;
    char *text;
    size_t length;
    struct error err;

    if (!input->catalog->is_local || !read_wanted(view, "io_method", &figure) ||
        strcasecmp(figure.value, "io_uring") != 0 ||
        !file_read(view->arena, "/proc/sys/kernel/io_uring_disabled", &text, &length, &err) ||
        atoi(text) != 2)
        return;
    error_hint(refuse(view, &figure, "this host's kernel has io_uring switched off"),
               "Keep worker, or set kernel.io_uring_disabled to 0.");
}

/* --- what is in use ----------------------------------------------------------------------- */

/* A parameter that is a count, less than what is there. */
static void
check_count(const struct settings_view *view, const char *name, int there, const char *what)
{
    struct settings_figure figure;
    double number;

    if (there == 0 || !read_wanted(view, name, &figure) ||
        !setting_number(figure.value, "", &number) || number >= there)
        return;
    error_hint(
        refuse(view, &figure,
               arena_printf(view->arena, "the server has %d %s, and would not start", there, what)),
        "Remove them first.");
}

static void
check_in_use(const struct settings_view *view, const struct settings_input *input)
{
    AUTO_PGRESULT result = NULL;
    struct settings_figure level;
    struct error err;

    if (input->catalog->connection == NULL ||
        !pg_query(input->catalog->connection, embedded_file("settings/sql/facts.sql")->text, 0,
                  NULL, &result, &err) ||
        PQntuples(result) != 1)
        return;
    int slots = (int)pg_integer(result, 0, "slots");
    int logical_slots = (int)pg_integer(result, 0, "logical_slots");
    check_count(view, "max_replication_slots", slots, "replication slots");
    check_count(view, "max_prepared_transactions", (int)pg_integer(result, 0, "prepared"),
                "prepared transactions");
    if (!read_wanted(view, "wal_level", &level))
        return;
    bool is_minimal = strcasecmp(level.value, "minimal") == 0;
    if (logical_slots > 0 && strcasecmp(level.value, "logical") != 0)
        error_hint(refuse(view, &level,
                          arena_printf(view->arena,
                                       "%s is not enough for %d logical replication "
                                       "slots",
                                       level.value, logical_slots)),
                   "The server would not start: drop the slots first, or keep logical.");
    else if (slots > 0 && is_minimal)
        error_hint(refuse(view, &level,
                          arena_printf(view->arena,
                                       "minimal is not enough for %d replication slots", slots)),
                   "The server would not start: drop the slots first, or keep replica.");
}

void
settings_check_server(const struct settings_view *view, const struct settings_input *input)
{
    static void (*const checks[])(const struct settings_view *, const struct settings_input *) = {
        check_preload,    check_tls_files, check_addresses,
        check_huge_pages, check_io_method, check_in_use,
    };

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        checks[i](view, input);
}
