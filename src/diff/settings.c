// SPDX-License-Identifier: MIT
#include "diff/diff.h"
#include "settings/derive.h"
#include "settings/obstacle.h"
#include "settings/statement.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <string.h>

/* Where a server is, not how it is set. */
static const char *const not_compared[] = {
    "application_name",
    "cluster_name",
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "in_hot_standby",
    "listen_addresses",
    "log_directory",
    "port",
    "server_version_num",
    "ssl_ca_file",
    "ssl_cert_file",
    "ssl_key_file",
    "unix_socket_directories",
    "shared_memory_size",
    "shared_memory_size_in_huge_pages",
    "num_os_semaphores",
    NULL,
};

static bool
is_compared(const char *name)
{
    for (const char *const *one = not_compared; *one != NULL; one++) {
        if (strcmp(*one, name) == 0)
            return false;
    }
    return true;
}

/* --- why ---------------------------------------------------------------------------------- */

/* The deck's own settings are rules of a server or an environment as well. */
static const struct settings_rule *
find_rule(const struct diff_side *side, const char *name, bool in_database)
{
    return settings_find_rule(&side->survey.input, name,
                              in_database ? SETTINGS_OF_ENVIRONMENT : SETTINGS_OF_SERVER);
}

static bool
propose(const struct diff_side *side, const struct settings_rule *rule,
        const struct catalog_setting *setting, const char *database,
        struct settings_proposal *ret_proposal)
{
    const struct settings_input *input = &side->survey.input;
    struct settings_case of = {.input = input, .current = setting};

    if (rule == NULL)
        return false;
    for (size_t i = 0; database != NULL && i < input->environments.count; i++) {
        if (input->environments.items[i].deck == side->environment)
            of.environment = &input->environments.items[i];
    }
    return settings_propose(rule, &of, ret_proposal);
}

/* The rule with its figures where the value is the rule's; else how it came to be another. */
static const char *
why_of(struct diff_side *side, const struct catalog_setting *setting, const char *database,
       const char *value)
{
    struct arena *arena = side->advice.arena;
    const struct settings_rule *rule = find_rule(side, setting->name, database != NULL);
    const char *where = settings_where(arena, side->advice.catalog, setting, database);
    struct settings_proposal proposal;

    if (!propose(side, rule, setting, database, &proposal))
        return strcmp(where, "default") == 0 ? "PostgreSQL's default"
                                             : arena_printf(arena, "set in: %s", where);
    if (database != NULL && proposal.why == rule->reason) /* without figures of its own */
        proposal.why = arena_printf(arena, "%s; as for %s", proposal.why,
                                    settings_class_name(side->environment));
    if (settings_is_equal(rule, setting, value, proposal.value))
        return arena_printf(arena, "%s%s%s", proposal.why,
                            strcmp(where, "default") == 0 ? "" : "; set in: ",
                            strcmp(where, "default") == 0 ? "" : where);
    const char *drift = database == NULL
                            ? settings_server_drift(&side->evidence, rule, setting)
                            : settings_database_drift(&side->evidence, rule, setting, database);
    if (drift != NULL)
        return arena_printf(arena, "changed by hand: %s; the deck says %s (%s)", drift,
                            proposal.value, proposal.why);
    return arena_printf(arena, "not applied yet: the deck says %s (%s); set in: %s", proposal.value,
                        proposal.why, where);
}

/* --- servers ------------------------------------------------------------------------------ */

static bool
is_equal(const struct settings_rule *rule, const struct catalog_setting *setting, const char *left,
         const char *right)
{
    return rule != NULL ? settings_is_equal(rule, setting, left, right)
                        : setting_is_equal(setting, left, right);
}

static const char *
readable_server_value(struct diff *diff, const struct catalog_setting *setting)
{
    return setting == NULL ? NULL
                           : setting_readable(diff->arena, setting, setting_server_value(setting));
}

static void
compare_on_servers(struct diff *diff, const char *name)
{
    const struct catalog_setting *left = catalog_find_setting(diff->left.advice.catalog, name);
    const struct catalog_setting *right = catalog_find_setting(diff->right.advice.catalog, name);
    const struct settings_rule *rule = find_rule(&diff->left, name, false);

    if (left != NULL && right != NULL && strcmp(left->unit, right->unit) == 0 &&
        is_equal(rule, left, setting_server_value(left), setting_server_value(right)))
        return;
    struct diff_item item = {
        .kind = "server setting",
        .name = name,
        .left = readable_server_value(diff, left),
        .right = readable_server_value(diff, right),
    };
    /* Waiting for a restart or not, the reason is that of what the files say. */
    item.left_why = left == NULL ? "this version does not have it"
                                 : why_of(&diff->left, left, NULL, setting_next_value(left));
    item.right_why = right == NULL ? "this version does not have it"
                                   : why_of(&diff->right, right, NULL, setting_next_value(right));
    diff_add(diff, &item);
}

static void
compare_servers(struct diff *diff)
{
    const struct catalog_server *left = diff->left.advice.catalog;
    const struct catalog_server *right = diff->right.advice.catalog;

    for (size_t i = 0; i < left->settings.count; i++) {
        if (is_compared(left->settings.items[i].name))
            compare_on_servers(diff, left->settings.items[i].name);
    }
    for (size_t i = 0; i < right->settings.count; i++) {
        const char *name = right->settings.items[i].name;
        if (is_compared(name) && catalog_find_setting(left, name) == NULL)
            compare_on_servers(diff, name);
    }
}

/* --- databases ---------------------------------------------------------------------------- */

/* NULL: a parameter of an extension that is not loaded, without a value here. */
static const char *
value_in(const struct diff_side *side, const char *database, const char *name)
{
    const struct catalog_setting *setting = catalog_find_setting(side->advice.catalog, name);

    return setting != NULL ? settings_database_value(side->advice.catalog, database, setting)
                           : catalog_role_setting_value(side->advice.catalog, database, "", name);
}

static const char *
readable_in(struct diff *diff, const struct diff_side *side, const char *name, const char *value)
{
    const struct catalog_setting *setting = catalog_find_setting(side->advice.catalog, name);

    return setting == NULL || value == NULL ? value : setting_readable(diff->arena, setting, value);
}

static const char *
why_in(struct diff_side *side, const char *database, const char *name, const char *value)
{
    const struct catalog_setting *setting = catalog_find_setting(side->advice.catalog, name);

    if (value == NULL)
        return "not set";
    return setting == NULL ? "set in: database" : why_of(side, setting, database, value);
}

static void
compare_in_databases(struct diff *diff, const struct diff_pair *pair, const char *name)
{
    const struct catalog_setting *setting = catalog_find_setting(diff->left.advice.catalog, name);
    const char *left = value_in(&diff->left, pair->left->name, name);
    const char *right = value_in(&diff->right, pair->right->name, name);
    bool is_same =
        left != NULL && right != NULL &&
        (setting == NULL ? strcmp(left, right) == 0
                         : is_equal(find_rule(&diff->left, name, true), setting, left, right));

    if (is_same || (left == NULL && right == NULL))
        return;
    struct diff_item item = {
        .kind = "database setting",
        .pair = pair,
        .name = name,
        .left = readable_in(diff, &diff->left, name, left),
        .right = readable_in(diff, &diff->right, name, right),
        .left_why = why_in(&diff->left, pair->left->name, name, left),
        .right_why = why_in(&diff->right, pair->right->name, name, right),
    };
    diff_add(diff, &item);
}

static bool
is_among(char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* The rules' parameters of databases, and all that one of the two has a value of its own for. */
static void
compare_databases(struct diff *diff, const struct diff_pair *pair)
{
    struct {
        LIST_OF(char *) list;
    } names = {0};
    const struct diff_side *sides[] = {&diff->left, &diff->right};
    const char *databases[] = {pair->left->name, pair->right->name};

    for (size_t side = 0; side < 2; side++) {
        const struct catalog_server *catalog = sides[side]->advice.catalog;
        const struct settings_input *input = &sides[side]->survey.input;
        for (size_t i = 0; i < input->rules.count; i++) {
            const char *name = input->rules.items[i]->name;
            if (input->rules.items[i]->scope == SETTINGS_OF_ENVIRONMENT &&
                !is_among(names.list.items, names.list.count, name))
                *LIST_ADD(diff->arena, &names.list) = arena_strdup(diff->arena, name);
        }
        for (size_t i = 0; i < catalog->role_settings.count; i++) {
            const struct catalog_role_setting *own = &catalog->role_settings.items[i];
            if (own->role[0] == '\0' && strcmp(own->database, databases[side]) == 0 &&
                !is_among(names.list.items, names.list.count, own->name))
                *LIST_ADD(diff->arena, &names.list) = arena_strdup(diff->arena, own->name);
        }
    }
    for (size_t i = 0; i < names.list.count; i++)
        compare_in_databases(diff, pair, names.list.items[i]);
}

void
diff_settings(struct diff *diff)
{
    if (!diff_is_one_server(diff))
        compare_servers(diff);
    for (size_t i = 0; i < diff->pairs.count; i++) {
        if (diff->pairs.items[i].left != NULL && diff->pairs.items[i].right != NULL)
            compare_databases(diff, &diff->pairs.items[i]);
    }
}
