// SPDX-License-Identifier: MIT
#include "settings/rehearsal.h"

#include "base/text.h"
#include "local/postmaster.h"
#include "local/scratch.h"
#include "pg/host.h"
#include "settings/value.h"

#include <ctype.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COMPUTED_MAJOR = 15, DEFAULT_SEGMENT_MB = 16, MEGABYTE = 1 << 20 };

struct rehearsal {
    struct arena *arena;
    const struct settings_configuration *configuration;
    const struct settings_listener *listener;
    struct local_scratch scratch;
};

/* --- the configuration that it would be --------------------------------------------------- */

/* What has to do with this server's files, addresses and logs, or acts outside of it: a scratch
 * server must not have it. NULL: left out; else what it has instead. */
static const struct {
    const char *name, *instead;
} replaced[] = {
    {"data_directory", NULL},
    {"hba_file", NULL},
    {"ident_file", NULL},
    {"external_pid_file", NULL},
    {"port", NULL},
    {"unix_socket_directories", "."},
    {"unix_socket_group", NULL},
    {"unix_socket_permissions", NULL},
    {"bonjour", NULL},
    {"logging_collector", NULL},
    {"log_destination", NULL},
    {"log_line_prefix", ""},
    {"log_min_messages", NULL},
    {"lc_messages", "C"},
    {"archive_command", ""},
    {"archive_library", NULL},
    {"archive_cleanup_command", NULL},
    {"restore_command", NULL},
    {"recovery_end_command", NULL},
    {"primary_conninfo", NULL},
    {"stats_temp_directory", NULL},
    {"fsync", "off"},
};
/* Names of files in the data directory, unless they are absolute. */
static const char *const file_names[] = {"ssl_cert_file",     "ssl_key_file",       "ssl_ca_file",
                                         "ssl_crl_file",      "ssl_dh_params_file", "ssl_crl_dir",
                                         "krb_server_keyfile"};

/* Files in the order in which they are read, then the command line, then what is to be set, but
 * for one assignment if that is left out. */
static void
gather(const struct rehearsal *rehearsal, const struct settings_assignment *left_out,
       struct conf_entries *entries)
{
    struct arena *arena = rehearsal->arena;
    const struct settings_configuration *configuration = rehearsal->configuration;
    const struct catalog_server *catalog = configuration->catalog;

    for (size_t i = 0; i < catalog->file_settings.count; i++) {
        const struct catalog_file_setting *entry = &catalog->file_settings.items[i];
        if (entry->name[0] != '\0')
            conf_set(arena, entries, entry->name, entry->setting);
    }
    for (size_t i = 0; i < configuration->assignments.count; i++) {
        const struct settings_assignment *assignment = &configuration->assignments.items[i];
        if (assignment != left_out)
            conf_set(arena, entries, assignment->name, assignment->value);
    }
    for (size_t i = 0; i < catalog->settings.count; i++) {
        const struct catalog_setting *setting = &catalog->settings.items[i];
        if (strcmp(setting->source, "command line") == 0)
            conf_set(arena, entries, setting->name, setting->setting);
    }
}

static const struct settings_assignment *
find_assignment(const struct rehearsal *rehearsal, const char *name)
{
    for (size_t i = 0; i < rehearsal->configuration->assignments.count; i++) {
        if (strcasecmp(rehearsal->configuration->assignments.items[i].name, name) == 0)
            return &rehearsal->configuration->assignments.items[i];
    }
    return NULL;
}

/* A port that is free now; NULL: none found. */
static const char *
free_port(struct arena *arena)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const char *port = NULL;

    if (descriptor < 0)
        return NULL;
    if (bind(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        getsockname(descriptor, (struct sockaddr *)&address, &length) == 0)
        port = arena_printf(arena, "%d", ntohs(address.sin_port));
    close(descriptor);
    return port;
}

/* Whether the live server holds huge pages, which a scratch server beside it could not get. */
static bool
has_huge_pages(const struct rehearsal *rehearsal)
{
    const struct catalog_server *catalog = rehearsal->configuration->catalog;
    const struct catalog_setting *status = catalog_find_setting(catalog, "huge_pages_status");
    const struct catalog_setting *wanted = catalog_find_setting(catalog, "huge_pages");

    return strcmp((status != NULL ? status : wanted)->setting, "on") == 0;
}

/* New addresses are tried on another port; nobody gets in (pg_hba.conf rejects all). */
static void
isolate(const struct rehearsal *rehearsal, struct conf_entries *entries)
{
    struct arena *arena = rehearsal->arena;
    const struct catalog_server *catalog = rehearsal->configuration->catalog;
    const char *port =
        find_assignment(rehearsal, "listen_addresses") != NULL ? free_port(arena) : NULL;

    for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
        if (replaced[i].instead != NULL)
            conf_set(arena, entries, replaced[i].name, replaced[i].instead);
        else
            conf_unset(entries, replaced[i].name);
    }
    if (port != NULL)
        conf_set(arena, entries, "port", port);
    else
        conf_set(arena, entries, "listen_addresses", "");
    const char *huge_pages = conf_value(entries, "huge_pages");
    if (huge_pages != NULL && strcmp(huge_pages, "on") == 0 && has_huge_pages(rehearsal))
        conf_set(arena, entries, "huge_pages", "try"); /* the live server has them; see check */
    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++) {
        const char *path = conf_value(entries, file_names[i]);
        const struct catalog_setting *usual = catalog_find_setting(catalog, file_names[i]);
        if (path == NULL && usual != NULL && strncmp(usual->name, "ssl", 3) == 0)
            path = usual->setting; /* server.crt, server.key */
        if (path != NULL && path[0] != '/' && path[0] != '\0')
            conf_set(
                arena, entries, file_names[i],
                arena_printf(arena, "%s/%s", rehearsal->configuration->host.data_directory, path));
    }
}

static bool
configure(const struct rehearsal *rehearsal, const struct settings_assignment *left_out,
          bool is_isolated, struct error *err)
{
    struct conf_entries entries = {0};

    gather(rehearsal, left_out, &entries);
    if (is_isolated)
        isolate(rehearsal, &entries);
    else {
        conf_unset(&entries, "data_directory");
        conf_unset(&entries, "hba_file");
        conf_unset(&entries, "ident_file");
        conf_set(rehearsal->arena, &entries, "lc_messages", "C");
    }
    return local_scratch_configure(&rehearsal->scratch,
                                   conf_write(rehearsal->arena, "of a rehearsal", &entries), err);
}

/* --- who is to blame ---------------------------------------------------------------------- */

/* Parameters whose value is looked at when the server starts, not when it reads its files. */
static bool
is_of_start(const struct settings_assignment *assignment)
{
    static const char *const others[] = {"min_wal_size", "max_wal_size"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(assignment->name, others[i]) == 0)
            return true;
    }
    return strcmp(assignment->setting->context, "postmaster") == 0 ||
           strncmp(assignment->name, "ssl", 3) == 0;
}

static bool
has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += length) {
        bool begins = at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
        bool ends = !isalnum((unsigned char)at[length]) && at[length] != '_';
        if (begins && ends)
            return true;
    }
    return false;
}

/* Whether the server has quoted one of the value's words. */
static bool
is_quoted(struct arena *arena, const char *said, const char *value)
{
    char **words;
    size_t count = setting_words(arena, value, &words);

    for (size_t i = 0; i < count; i++) {
        if (isalpha((unsigned char)words[i][0]) &&
            strstr(said, arena_printf(arena, "\"%s\"", words[i])) != NULL)
            return true;
    }
    return false;
}

/* What the server says without its hints: those name parameters that often are to blame. */
static const char *
without_hints(struct arena *arena, const char *said)
{
    AUTO_TEXT text = {0};

    for (const char *line = said; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        const char *hint = strstr(line, "HINT:");
        if (hint == NULL || hint >= line + length)
            text_append_bytes(&text, line, length);
        line += length + (line[length] == '\n');
        text_append(&text, "\n");
    }
    return arena_strdup(arena, text_chars(&text));
}

/* The one whose name the server gives, or whose value; else the one without which it starts.
 * probe: the computed value that it refused; NULL: it refused to start. */
static const struct settings_assignment *
find_culprit(const struct rehearsal *rehearsal, const char *said, const char *probe)
{
    const struct settings_configuration *configuration = rehearsal->configuration;
    const struct settings_assignment *all = configuration->assignments.items;
    struct error ignored;
    const char *value;

    for (size_t i = 0; i < configuration->assignments.count; i++) {
        if (has_word(said, all[i].name))
            return &all[i];
    }
    for (size_t i = 0; i < configuration->assignments.count; i++) {
        if (is_quoted(rehearsal->arena, said, all[i].value))
            return &all[i];
    }
    for (size_t i = 0; i < configuration->assignments.count; i++) {
        if (!is_of_start(&all[i]))
            continue;
        if (!configure(rehearsal, &all[i], true, &ignored))
            return NULL;
        if (probe == NULL ? local_scratch_try(&rehearsal->scratch, &ignored)
                          : local_scratch_value(&rehearsal->scratch, probe, &value, &ignored))
            return &all[i];
        if (ignored.code != ERROR_REFUSED)
            return NULL;
    }
    return NULL;
}

static bool
blame(const struct rehearsal *rehearsal, const char *probe, struct error *err)
{
    struct error found = *err;

    if (err->code != ERROR_REFUSED)
        return error_wrap(err, "cannot try the configuration");
    const struct settings_assignment *culprit =
        find_culprit(rehearsal, without_hints(rehearsal->arena, found.detail), probe);
    if (culprit == NULL)
        error_set(err, ERROR_REFUSED, "the server would not start with this configuration");
    else
        error_set(err, ERROR_REFUSED, "the server would not start with %s = %s", culprit->name,
                  culprit->value[0] == '\0' ? "''" : culprit->value);
    error_detail(err, "%s", found.detail);
    error_hint(err, "Tried on a scratch data directory; the server itself was not touched.");
    return culprit == NULL ? false : error_place(err, culprit->place);
}

/* --- memory ------------------------------------------------------------------------------- */

/* A line of /proc/meminfo, in bytes; 0: unknown. */
static int64_t
memory_line(const char *name)
{
    char line[128];
    int64_t kilobytes = 0;
    FILE *file = fopen("/proc/meminfo", "re");

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL && kilobytes == 0) {
        size_t length = strlen(name);
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            kilobytes = strtoll(line + length + 1, NULL, 10);
    }
    fclose(file);
    return kilobytes * 1024;
}

static int64_t
shared_memory_now(const struct catalog_server *catalog)
{
    const struct catalog_setting *setting = catalog_find_setting(catalog, "shared_memory_size");

    return setting == NULL ? 0 : strtoll(setting->setting, NULL, 10) * MEGABYTE;
}

static void
tell(const struct rehearsal *rehearsal, const char *line)
{
    if (rehearsal->listener->note != NULL)
        rehearsal->listener->note(rehearsal->listener->sink, line);
}

static bool
refuse_memory(const struct rehearsal *rehearsal, int64_t needed, int64_t total, struct error *err)
{
    const struct settings_assignment *buffers = find_assignment(rehearsal, "shared_buffers");

    error_set(
        err, ERROR_REFUSED, "%s%s%s of shared memory are more than this host has (%s)",
        buffers == NULL ? "" : "shared_buffers = ",
        buffers == NULL ? "" : setting_readable(rehearsal->arena, buffers->setting, buffers->value),
        buffers == NULL ? setting_rounded_size(rehearsal->arena, needed)
                        : arena_printf(rehearsal->arena, ": %s",
                                       setting_rounded_size(rehearsal->arena, needed)),
        setting_rounded_size(rehearsal->arena, total));
    return buffers == NULL ? false : error_place(err, buffers->place);
}

/* Huge pages that the live server holds become free when it stops. */
static bool
check_huge_pages(const struct rehearsal *rehearsal, struct error *err)
{
    const struct catalog_server *catalog = rehearsal->configuration->catalog;
    const struct catalog_setting *held =
        catalog_find_setting(catalog, "shared_memory_size_in_huge_pages");
    const struct settings_assignment *wanted = find_assignment(rehearsal, "shared_buffers");
    const char *pages;
    struct conf_entries entries = {0};

    gather(rehearsal, NULL, &entries);
    const char *huge_pages = conf_value(&entries, "huge_pages");
    if (huge_pages == NULL || strcmp(huge_pages, "on") != 0 || !has_huge_pages(rehearsal) ||
        held == NULL)
        return true;
    if (!local_scratch_value(&rehearsal->scratch, held->name, &pages, err))
        return blame(rehearsal, held->name, err);
    int64_t available = memory_line("HugePages_Free") / 1024 + strtoll(held->setting, NULL, 10);
    if (strtoll(pages, NULL, 10) <= available)
        return true;
    error_set(err, ERROR_REFUSED,
              "huge_pages is on, the server would need %s huge pages, and "
              "there are %" PRId64 " with what it has now",
              pages, available);
    error_hint(err, "Raise vm.nr_hugepages.");
    return wanted == NULL ? false : error_place(err, wanted->place);
}

/* A server that starts has reserved its shared memory, not filled it. */
static bool
check_memory(const struct rehearsal *rehearsal, struct error *err)
{
    struct arena *arena = rehearsal->arena;
    const struct catalog_server *catalog = rehearsal->configuration->catalog;
    const char *megabytes;

    if (catalog->major < COMPUTED_MAJOR)
        return true;
    if (!local_scratch_value(&rehearsal->scratch, "shared_memory_size", &megabytes, err))
        return blame(rehearsal, "shared_memory_size", err);
    int64_t needed = strtoll(megabytes, NULL, 10) * MEGABYTE;
    int64_t total = host_memory_bytes();
    int64_t free_then = memory_line("MemAvailable") + shared_memory_now(catalog);
    if (total > 0 && needed > total + memory_line("SwapTotal"))
        return refuse_memory(rehearsal, needed, total, err);
    if (needed > free_then)
        tell(rehearsal, arena_printf(arena,
                                     "The server's shared memory will be %s, and only %s are free "
                                     "on this host, with what the server has now: as it fills, "
                                     "others will have to give way.",
                                     setting_rounded_size(arena, needed),
                                     setting_rounded_size(arena, free_then)));
    return true;
}

/* --- the steps ---------------------------------------------------------------------------- */

static bool
needs_start(const struct settings_configuration *configuration)
{
    for (size_t i = 0; i < configuration->assignments.count; i++) {
        if (is_of_start(&configuration->assignments.items[i]))
            return true;
    }
    return false;
}

static int
segment_megabytes(const struct catalog_server *catalog)
{
    const struct catalog_setting *setting = catalog_find_setting(catalog, "wal_segment_size");
    int64_t bytes = 0;

    if (setting == NULL || !setting_bytes(setting, setting->setting, &bytes) || bytes < MEGABYTE)
        return DEFAULT_SEGMENT_MB;
    return (int)(bytes / MEGABYTE);
}

static void
progress(const struct rehearsal *rehearsal, const char *line)
{
    if (rehearsal->listener->progress != NULL)
        rehearsal->listener->progress(rehearsal->listener->sink, line);
}

/* First all of the files as they are, which costs nothing; then what needs a data directory. */
static bool
run(struct rehearsal *rehearsal, struct error *err)
{
    const struct settings_configuration *configuration = rehearsal->configuration;
    const char *value;

    progress(rehearsal, "trying the configuration with the server's own program");
    if (!configure(rehearsal, NULL, false, err))
        return false;
    if (!local_scratch_value(&rehearsal->scratch, "max_connections", &value, err))
        return blame(rehearsal, "max_connections", err);
    if (!needs_start(configuration))
        return true;
    progress(rehearsal, "making a scratch data directory");
    if (!local_scratch_fill(&rehearsal->scratch, segment_megabytes(configuration->catalog), err) ||
        !configure(rehearsal, NULL, true, err))
        return error_wrap(err, "cannot try the configuration");
    progress(rehearsal, "starting a scratch server with the configuration");
    if (!check_memory(rehearsal, err) || !check_huge_pages(rehearsal, err))
        return false;
    return local_scratch_try(&rehearsal->scratch, err) || blame(rehearsal, NULL, err);
}

bool
settings_rehearse(struct arena *arena, const struct settings_configuration *configuration,
                  const struct settings_listener *listener, struct error *err)
{
    const struct settings_host *host = &configuration->host;
    struct rehearsal rehearsal = {
        .arena = arena, .configuration = configuration, .listener = listener};
    const char *program = host->is_here ? local_program_of(arena, host->postmaster) : NULL;

    if (configuration->assignments.count == 0)
        return true;
    if (program == NULL) {
        tell(&rehearsal,
             arena_printf(arena, "The settings were not tried on a scratch server: %s.",
                          host->is_here ? "the server's program has been replaced since it started"
                                        : host->why_not));
        return true;
    }
    if (!local_scratch_make(arena, host->name, program, &host->user, &rehearsal.scratch, err))
        return error_wrap(err, "cannot try the configuration");
    bool is_fine = run(&rehearsal, err);
    local_scratch_remove(&rehearsal.scratch);
    return is_fine;
}
