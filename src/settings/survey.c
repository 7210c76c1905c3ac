// SPDX-License-Identifier: MIT
#include "settings/survey.h"

#include "base/text.h"
#include "settings/obstacle.h"
#include "settings/statement.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <string.h>

const char *
settings_need_name(enum settings_need need)
{
    static const char *const names[] = {
        [SETTINGS_NEED_NOTHING] = "nothing",
        [SETTINGS_NEED_SESSIONS] = "new sessions",
        [SETTINGS_NEED_RELOAD] = "reload",
        [SETTINGS_NEED_RESTART] = "restart",
    };
    return names[need];
}

/* Where the server itself has it from, whatever this session or its database say. */
static const char *
where_of_server(struct arena *arena, const struct catalog_setting *setting)
{
    bool is_file = strcmp(setting->source, "configuration file") == 0;

    if (is_file && setting->source_file[0] != '\0')
        return arena_printf(arena, "%s:%d", setting->source_file, setting->source_line);
    if (strcmp(setting->source, "command line") == 0)
        return setting->source;
    if (setting->in_files != NULL)
        return arena_printf(arena, "%s:%d", setting->in_files->file, setting->in_files->line);
    if (setting->auto_value != NULL)
        return "postgresql.auto.conf";
    if (is_file)
        return "a configuration file";
    if (strcmp(setting->source, "environment variable") == 0)
        return setting->source;
    return "default";
}

const char *
settings_where(struct arena *arena, const struct catalog_server *catalog,
               const struct catalog_setting *setting, const char *database)
{
    if (database != NULL && catalog_role_setting_value(catalog, database, "", setting->name))
        return "database";
    if (database != NULL && catalog_role_setting_value(catalog, "", "", setting->name) != NULL)
        return "all roles";
    return where_of_server(arena, setting);
}

static void
add_row(struct settings_survey *survey, const struct settings_row *row)
{
    *LIST_ADD(survey->input.arena, &survey->rows) = *row;
}

/* Fills in what the rule says; current is the raw value. */
static void
propose(struct settings_survey *survey, struct settings_row *row,
        const struct settings_environment *environment, const char *current)
{
    struct settings_case of = {&survey->input, environment, row->setting};
    struct settings_proposal proposal;

    row->current = setting_readable(survey->input.arena, row->setting, current);
    row->why = row->rule->reason;
    if (!settings_propose(row->rule, &of, &proposal)) {
        if (row->rule->scope != SETTINGS_OF_POSTGRESQL)
            row->why = arena_printf(survey->input.arena, "no cause to set it here; else: %s",
                                    row->rule->reason);
        return;
    }
    row->proposed = proposal.value;
    row->why = proposal.why;
    row->warning = proposal.warning;
    row->is_change = !settings_is_equal(row->rule, row->setting, current, proposal.value);
}

/* What is in the way of the change that the row is; NULL: nothing. */
static const char *
obstacle_of(const struct settings_input *input, const struct settings_row *row)
{
    const struct advice advice = {
        .arena = input->arena, .server = input->deck, .catalog = input->catalog};
    bool has_file = input->catalog->is_local && input->deck->configuration == CONFIGURATION_FILE;
    struct settings_obstacle obstacle;

    if (!row->is_change ||
        !(row->environment == NULL
              ? settings_obstacle_of_server(&advice, row->setting, has_file, &obstacle)
              : settings_obstacle_of_database(
                    &advice, row->setting, row->database == NULL ? "" : row->database, &obstacle)))
        return NULL;
    return arena_printf(input->arena, "%s: %s", obstacle.text, obstacle.remedy);
}

static void
survey_server(struct settings_survey *survey, const struct settings_rule *rule,
              const struct catalog_setting *setting)
{
    struct settings_row row = {
        .rule = rule,
        .setting = setting,
        .where = settings_where(survey->input.arena, survey->input.catalog, setting, NULL),
        .overrides =
            settings_overrides(survey->input.arena, survey->input.catalog, rule->name, NULL),
    };

    propose(survey, &row, NULL, setting_server_value(setting));
    bool is_restart = strcmp(setting->context, "postmaster") == 0;
    if (row.is_change || setting->is_pending_restart)
        row.need = is_restart ? SETTINGS_NEED_RESTART : SETTINGS_NEED_RELOAD;
    row.obstacle = obstacle_of(&survey->input, &row);
    add_row(survey, &row);
}

/* One database of the environment, or with NULL one that is not known. */
static struct settings_row
row_of_database(struct settings_survey *survey, const struct settings_rule *rule,
                const struct settings_environment *environment, const char *database)
{
    const struct settings_input *input = &survey->input;
    const struct catalog_setting *setting = settings_find(input, rule->name);
    struct settings_row row = {
        .rule = rule,
        .setting = setting,
        .environment = environment->deck->name,
        .database = database,
        .where = settings_where(input->arena, input->catalog, setting, database),
        .overrides = settings_overrides(input->arena, input->catalog, rule->name, database),
    };

    propose(survey, &row, environment, settings_database_value(input->catalog, database, setting));
    row.need = row.is_change ? SETTINGS_NEED_SESSIONS : SETTINGS_NEED_NOTHING;
    row.obstacle = obstacle_of(input, &row);
    return row;
}

/* One row for databases that are alike. */
static void
survey_environment(struct settings_survey *survey, const struct advice *advice,
                   const struct settings_rule *rule, const struct settings_environment *environment)
{
    size_t first = survey->rows.count;
    size_t databases = 0;
    bool is_alike = true;

    for (size_t i = 0; i < advice->deck->databases.count; i++) {
        const struct deck_database *database = &advice->deck->databases.items[i];
        if (database->environment != environment->deck)
            continue;
        struct settings_row row = row_of_database(survey, rule, environment, database->name);
        add_row(survey, &row);
        databases++;
        const struct settings_row *one = &survey->rows.items[first];
        is_alike = is_alike && strcmp(row.current, one->current) == 0 &&
                   strcmp(row.where, one->where) == 0 && strcmp(row.overrides, one->overrides) == 0;
    }
    if (databases == 0) {
        struct settings_row row = row_of_database(survey, rule, environment, NULL);
        add_row(survey, &row);
    } else if (is_alike) {
        survey->rows.count = first + 1;
        survey->rows.items[first].database = NULL;
    }
}

void
settings_survey_read(const struct advice *advice, struct settings_survey *ret_survey)
{
    struct settings_survey survey = {0};

    settings_input_read(advice, &survey.input);
    for (size_t i = 0; i < survey.input.rules.count; i++) {
        const struct settings_rule *rule = survey.input.rules.items[i];
        const struct catalog_setting *setting = settings_find(&survey.input, rule->name);
        if (setting == NULL)
            continue;
        if (rule->scope != SETTINGS_OF_ENVIRONMENT)
            survey_server(&survey, rule, setting);
        for (size_t j = 0;
             rule->scope == SETTINGS_OF_ENVIRONMENT && j < survey.input.environments.count; j++)
            survey_environment(&survey, advice, rule, &survey.input.environments.items[j]);
    }
    *ret_survey = survey;
}
