// SPDX-License-Identifier: MIT
#include "settings/derive.h"

#include "base/text.h"
#include "settings/value.h"

#include <string.h>

static const char *
logging_name(enum deck_logging logging)
{
    static const char *const names[] = {
        [LOGGING_VERBOSE] = "verbose",
        [LOGGING_BALANCED] = "balanced",
        [LOGGING_MINIMAL] = "minimal",
    };
    return names[logging];
}

/* What each depth of logging stands for. */
struct logging_figures {
    const char *min_duration, *temp_files, *autovacuum, *idle_timeout;
};

static const struct logging_figures loggings[] = {
    [LOGGING_VERBOSE] = {"100ms", "0", "1s", "30min"},
    [LOGGING_BALANCED] = {"500ms", "10MB", "1min", "10min"},
    [LOGGING_MINIMAL] = {"1s", "100MB", "10min", "5min"},
};

static const struct logging_figures *
figures_of(const struct settings_case *of)
{
    return &loggings[of->environment->deck->logging];
}

static const char *
by_logging(const struct settings_case *of)
{
    return arena_printf(of->input->arena, "logging is %s",
                        logging_name(of->environment->deck->logging));
}

bool
derive_log_min_duration(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = figures_of(of)->min_duration;
    proposal->why = by_logging(of);
    return true;
}

bool
derive_log_temp_files(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = figures_of(of)->temp_files;
    proposal->why = by_logging(of);
    return true;
}

bool
derive_idle_timeout(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = figures_of(of)->idle_timeout;
    return true;
}

/* One value for the whole server: the most verbose environment's. */
bool
derive_log_autovacuum(const struct settings_case *of, struct settings_proposal *proposal)
{
    enum deck_logging logging = LOGGING_MINIMAL;

    for (size_t i = 0; i < of->input->environments.count; i++) {
        enum deck_logging own = of->input->environments.items[i].deck->logging;
        logging = own < logging ? own : logging;
    }
    proposal->value = loggings[logging].autovacuum;
    proposal->why =
        arena_printf(of->input->arena, "shows which tables keep autovacuum busy, logging is %s",
                     logging_name(logging));
    return true;
}

bool
derive_log_connections(const struct settings_case *of, struct settings_proposal *proposal)
{
    for (size_t i = 0; i < of->input->environments.count; i++) {
        if (of->input->environments.items[i].deck->has_audit) {
            proposal->value = "on";
            proposal->why = arena_printf(of->input->arena, "the deck asks for an audit of %s",
                                         of->input->environments.items[i].deck->name);
            return true;
        }
    }
    return false;
}

bool
derive_idle_session_timeout(const struct settings_case *of, struct settings_proposal *proposal)
{
    const struct deck_environment *deck = of->environment->deck;

    proposal->value = "8h";
    proposal->why = "development without pools: sessions that somebody forgot over night";
    return deck->logging == LOGGING_VERBOSE && deck->pools.count == 0;
}

bool
derive_track_detailed(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = "on";
    return of->input->deepest_monitoring == DEPTH_DETAILED;
}

/* No lower than it is. */
bool
derive_query_size(const struct settings_case *of, struct settings_proposal *proposal)
{
    double there;
    bool is_more = setting_number(of->current->setting, "B", &there) && there > 4096;

    proposal->value = is_more ? of->current->setting : "4kB";
    return true;
}

/* One that asks for more stays. */
bool
derive_min_protocol(const struct settings_case *of, struct settings_proposal *proposal)
{
    bool is_newer = strcmp(of->current->setting, "TLSv1.3") == 0;

    proposal->value = is_newer ? of->current->setting : "TLSv1.2";
    return true;
}

static bool
has_escape(const char *prefix, const char *letters)
{
    for (const char *at = strchr(prefix, '%'); at != NULL; at = strchr(at, '%')) {
        at++;
        if (*at == '\0')
            return false;
        if (strchr(letters, *at) != NULL)
            return true;
        at++;
    }
    return false;
}

/* A prefix that tells time, process, user and database is left as it is. */
bool
derive_log_line_prefix(const struct settings_case *of, struct settings_proposal *proposal)
{
    const char *prefix = of->current->setting;

    bool is_enough = has_escape(prefix, "tmn") && has_escape(prefix, "pc") &&
                     has_escape(prefix, "u") && has_escape(prefix, "d");
    proposal->value = is_enough ? prefix : "%m [%p] %q%u@%d %a ";
    return true;
}

bool
derive_track_functions(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = of->environment->deck->monitoring == DEPTH_DETAILED ? "pl" : "none";
    return true;
}
