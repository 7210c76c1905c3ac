// SPDX-License-Identifier: MIT
#include "settings/wanted.h"

#include "settings/parameters.h"
#include "settings/value.h"

#include <string.h>
#include <strings.h>

const struct catalog_setting *
settings_find(const struct settings_input *input, const char *name)
{
    const struct catalog_setting *setting = catalog_find_setting(input->catalog, name);

    if (setting != NULL || strchr(name, '.') == NULL)
        return setting;
    return settings_parameter(input->arena, input->catalog->major, name);
}

/* As the server writes it: DateStyle. */
static const char *
canonical_name(const struct settings_input *input, const char *name)
{
    for (size_t i = 0; i < input->catalog->settings.count; i++) {
        const char *own = input->catalog->settings.items[i].name;
        if (strcasecmp(own, name) == 0)
            return own;
    }
    return name;
}

const struct deck_setting *
settings_wanted(const struct settings_input *input, const struct settings_environment *environment,
                const char *name)
{
    const struct deck_setting *own = NULL;
    const struct settings_environment *sole = settings_sole(input);

    if (environment != NULL)
        own = deck_find_setting(&environment->deck->settings, name);
    else if (sole != NULL) {
        const struct catalog_setting *setting = settings_find(input, name);
        if (setting != NULL && !setting_is_of_sessions(setting))
            own = deck_find_setting(&sole->deck->settings, name);
    }
    return own != NULL ? own : deck_find_setting(&input->deck->settings, name);
}

bool
settings_wanted_bytes(const struct settings_input *input,
                      const struct settings_environment *environment, const char *name,
                      int64_t *ret_bytes)
{
    const struct deck_setting *wanted = settings_wanted(input, environment, name);
    const struct catalog_setting *setting = settings_find(input, name);
    int64_t bytes;

    if (wanted == NULL || setting == NULL || !setting_bytes(setting, wanted->value, &bytes) ||
        bytes < 0)
        return false;
    *ret_bytes = bytes;
    return true;
}

bool
settings_wanted_count(const struct settings_input *input, const char *name, int *ret_count)
{
    const struct deck_setting *wanted = settings_wanted(input, NULL, name);
    double number;

    if (wanted == NULL || !setting_number(wanted->value, "", &number) || number < 0)
        return false;
    *ret_count = (int)number;
    return true;
}

/* --- the rules of one server -------------------------------------------------------------- */

const struct settings_rule *
settings_find_rule(const struct settings_input *input, const char *name, enum settings_scope scope)
{
    for (size_t i = 0; i < input->rules.count; i++) {
        const struct settings_rule *rule = input->rules.items[i];
        if (rule->scope == scope && strcasecmp(rule->name, name) == 0)
            return rule;
    }
    return NULL;
}

/* Adds a rule for what the deck sets and the table would not set there. */
static void
add_rule(struct settings_input *input, const char *name, enum settings_scope scope)
{
    struct settings_rule *rule;

    if (settings_find(input, canonical_name(input, name)) == NULL ||
        settings_find_rule(input, name, scope) != NULL)
        return;
    rule = ARENA_NEW(input->arena, struct settings_rule);
    *rule = (struct settings_rule){
        .name = canonical_name(input, name),
        .scope = scope,
        .reason = "the deck sets it",
        .is_list = setting_is_list(name),
    };
    *LIST_ADD(input->arena, &input->rules) = rule;
}

static void
add_rules(struct settings_input *input, const struct deck_settings *settings,
          const struct settings_environment *environment)
{
    for (size_t i = 0; i < settings->list.count; i++) {
        const char *name = settings->list.items[i].name;
        const struct catalog_setting *setting = settings_find(input, canonical_name(input, name));
        bool is_of_server =
            environment == NULL || setting == NULL || !setting_is_of_sessions(setting);
        add_rule(input, name, is_of_server ? SETTINGS_OF_SERVER : SETTINGS_OF_ENVIRONMENT);
    }
}

void
settings_rules_read(struct settings_input *input)
{
    for (size_t i = 0; i < settings_rule_count; i++) {
        const struct settings_rule *rule = &settings_rules[i];
        bool is_wanted = rule->scope == SETTINGS_OF_POSTGRESQL &&
                         settings_wanted(input, NULL, rule->name) != NULL;
        if (settings_rule_is_for(rule, input->catalog->major) && !is_wanted)
            *LIST_ADD(input->arena, &input->rules) = rule;
    }
    add_rules(input, &input->deck->settings, NULL);
    for (size_t i = 0; i < input->environments.count; i++)
        add_rules(input, &input->environments.items[i].deck->settings,
                  &input->environments.items[i]);
}
