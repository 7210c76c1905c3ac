// SPDX-License-Identifier: MIT
#include "settings/preload.h"

#include "base/text.h"
#include "settings/derive.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <string.h>

static const struct {
    const char *library;
    const char *purpose; /* what it does */
    const char *without; /* what is not done without it */
} preloads[PRELOADS] = {
    [PRELOAD_STATEMENTS] = {"pg_stat_statements", "counts and times all statements",
                            "statements are not counted"},
    [PRELOAD_EXPLAIN] = {"auto_explain", "logs the plans of slow statements",
                         "plans of slow statements are not logged"},
    [PRELOAD_PREWARM] = {"pg_prewarm", "fills the cache again after a restart",
                         "the cache is empty after a restart"},
    [PRELOAD_AUDIT] = {"pgaudit", "logs changes of rights and objects for the audit",
                       "changes of rights and objects are logged by log_statement only"},
};

/* The environment that asks for an audit; NULL: none does. */
static const char *
audited(const struct settings_input *input)
{
    for (size_t i = 0; i < input->environments.count; i++) {
        if (input->environments.items[i].deck->has_audit)
            return input->environments.items[i].deck->name;
    }
    return NULL;
}

static bool
is_asked_for(const struct settings_input *input, enum settings_preloaded library)
{
    return library != PRELOAD_AUDIT || audited(input) != NULL;
}

void
settings_preload_read(struct settings_input *input)
{
    const char *names[PRELOADS];

    _Static_assert((int)PRELOADS <= (int)SETTINGS_LIBRARIES, "there is room for all");
    for (size_t i = 0; i < PRELOADS; i++)
        names[i] = preloads[i].library;
    settings_libraries_find(input->arena, input->catalog, names, PRELOADS, input->libraries);
}

/* --- the list ----------------------------------------------------------------------------- */

/* With the folder that a library may be given with: "$libdir/auto_explain". */
static bool
has_library(struct arena *arena, const char *list, const char *library)
{
    char **words;
    size_t count = setting_words(arena, list, &words);

    for (size_t i = 0; i < count; i++) {
        const char *slash = strrchr(words[i], '/');
        if (strcmp(slash == NULL ? words[i] : slash + 1, library) == 0)
            return true;
    }
    return false;
}

/* What is there comes first, in its order: a list that waits for a restart is added to as well. */
bool
derive_preload_libraries(const struct settings_case *of, struct settings_proposal *proposal)
{
    struct arena *arena = of->input->arena;
    const char *there = setting_next_value(of->current);
    AUTO_TEXT list = {0}, why = {0};
    bool is_known = false;

    text_append(&list, there);
    for (size_t i = 0; i < PRELOADS; i++) {
        bool is_there = has_library(arena, there, preloads[i].library);
        is_known |= is_there;
        if (is_there || !is_asked_for(of->input, (enum settings_preloaded)i) ||
            of->input->libraries[i] != LIBRARY_INSTALLED)
            continue;
        is_known = true;
        text_appendf(&list, "%s%s", list.length > 0 ? ", " : "", preloads[i].library);
        text_appendf(&why, "%s%s %s", why.length > 0 ? ", " : "", preloads[i].library,
                     preloads[i].purpose);
    }
    if (why.length > 0)
        proposal->why = arena_printf(arena, "%s%s", text_chars(&why),
                                     there[0] == '\0' ? "" : "; added to what is loaded already");
    proposal->value = arena_strdup(arena, text_chars(&list));
    return is_known;
}

bool
settings_is_preloaded(const struct settings_input *input, enum settings_preloaded library)
{
    static const char *const name = "shared_preload_libraries";
    const struct settings_rule *rule = settings_find_rule(input, name, SETTINGS_OF_SERVER);
    struct settings_case of = {.input = input, .current = settings_find(input, name)};
    struct settings_proposal proposal;

    return rule != NULL && of.current != NULL && settings_propose(rule, &of, &proposal) &&
           has_library(input->arena, proposal.value, preloads[library].library);
}

/* --- their parameters --------------------------------------------------------------------- */

/* What each depth of monitoring stands for. */
static const struct {
    const char *name;
    enum settings_preloaded library;
    const char *values[DEPTH_ESSENTIAL + 1];
} figures[] = {
    {"auto_explain.log_min_duration", PRELOAD_EXPLAIN, {"100ms", "1s", "5s"}},
    {"auto_explain.log_analyze", PRELOAD_EXPLAIN, {"on", "off", "off"}},
    {"auto_explain.log_buffers", PRELOAD_EXPLAIN, {"on", "off", "off"}},
    {"auto_explain.log_timing", PRELOAD_EXPLAIN, {"off", "off", "off"}},
    {"auto_explain.log_nested_statements", PRELOAD_EXPLAIN, {"on", "off", "off"}},
    {"auto_explain.log_parameter_max_length", PRELOAD_EXPLAIN, {"-1", "-1", "0"}},
    {"pg_stat_statements.track", PRELOAD_STATEMENTS, {"all", "top", "top"}},
    {"pg_stat_statements.track_planning", PRELOAD_STATEMENTS, {"on", "off", "off"}},
};

bool
derive_by_depth(const struct settings_case *of, struct settings_proposal *proposal)
{
    static const char *const depths[] = {"detailed", "standard", "essential"};
    enum deck_depth depth = of->environment->deck->monitoring;

    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        if (strcmp(figures[i].name, of->current->name) != 0)
            continue;
        proposal->value = figures[i].values[depth];
        proposal->why = arena_printf(of->input->arena, "monitoring is %s", depths[depth]);
        return settings_is_preloaded(of->input, figures[i].library);
    }
    return false;
}

bool
derive_audit(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = "ddl, role";
    return of->environment->deck->has_audit && settings_is_preloaded(of->input, PRELOAD_AUDIT);
}

/* --- notes -------------------------------------------------------------------------------- */

/* The deck's own list is exactly what it says. */
static void
note_dropped(const struct advice *advice, const struct settings_input *input,
             const struct deck_setting *wanted)
{
    const struct catalog_setting *setting = settings_find(input, wanted->name);
    char **words;
    size_t count =
        setting == NULL ? 0 : setting_words(advice->arena, setting_next_value(setting), &words);

    for (size_t i = 0; i < count; i++) {
        if (!has_library(advice->arena, wanted->value, words[i]))
            change_list_note(advice->changes, advice->server->name, NULL, wanted->place,
                             "The server preloads %s, which the deck's shared_preload_libraries "
                             "does not have: it will no longer be loaded.",
                             words[i]);
    }
}

void
settings_note_libraries(const struct advice *advice, const struct settings_input *input)
{
    const struct deck_setting *wanted = settings_wanted(input, NULL, "shared_preload_libraries");

    if (wanted != NULL) {
        note_dropped(advice, input, wanted);
        return;
    }
    for (size_t i = 0; i < PRELOADS; i++) {
        enum settings_library found = input->libraries[i];
        bool is_loaded = settings_is_preloaded(input, (enum settings_preloaded)i);
        if (is_loaded || found == LIBRARY_INSTALLED ||
            !is_asked_for(input, (enum settings_preloaded)i))
            continue;
        change_list_note(
            advice->changes, advice->server->name, NULL, advice->server->place,
            "%s would be preloaded, but %s: %s%s.", preloads[i].library,
            found == LIBRARY_MISSING ? "is not installed on the server"
                                     : "this role cannot see whether it is installed",
            preloads[i].without,
            i == PRELOAD_AUDIT
                ? arena_printf(advice->arena, " (the deck asks for an audit of %s)", audited(input))
                : "");
    }
}
