// SPDX-License-Identifier: MIT
#include "settings/provider.h"

#include "settings/value.h"

#include <math.h>
#include <string.h>

static const struct settings_provider providers[] = {
    [PROVIDER_AWS_RDS] = {"aws-rds", "its DB parameter group", "1", "0", true},
    [PROVIDER_AWS_AURORA] = {"aws-aurora", "its DB cluster parameter group", "1", "0", true},
    [PROVIDER_CLOUD_SQL] = {"cloud-sql", "its database flags", "on", "off", true},
    [PROVIDER_AZURE] = {"azure", "its server parameters", "on", "off", true},
    [PROVIDER_PATRONI] = {"patroni", "Patroni's own configuration", "on", "off", false},
};

/* Parameters for which the provider has reasons of its own. */
static const struct {
    enum deck_provider provider;
    const char *parameter, *reason;
} refusals[] = {
    {PROVIDER_AWS_RDS, "log_line_prefix", "it has its own, for its log viewer"},
    {PROVIDER_AWS_AURORA, "log_line_prefix", "it has its own, for its log viewer"},
    {PROVIDER_AWS_AURORA, "shared_buffers",
     "it has most of the memory already: below Aurora there is no cache of the system's"},
    {PROVIDER_AWS_AURORA, "effective_cache_size", "it follows Aurora's shared_buffers"},
    {PROVIDER_AWS_AURORA, "checkpoint_timeout", "Aurora's storage has no checkpoints"},
    {PROVIDER_AWS_AURORA, "checkpoint_completion_target", "Aurora's storage has no checkpoints"},
    {PROVIDER_AWS_AURORA, "min_wal_size", "the log is kept by Aurora's storage"},
    {PROVIDER_AWS_AURORA, "max_wal_size", "the log is kept by Aurora's storage"},
    {PROVIDER_AWS_AURORA, "wal_buffers", "the log is kept by Aurora's storage"},
    {PROVIDER_AWS_AURORA, "wal_compression", "Aurora writes no full pages to the log"},
    {PROVIDER_AWS_AURORA, "bgwriter_lru_maxpages", "Aurora writes no pages to its storage"},
    {PROVIDER_CLOUD_SQL, "shared_preload_libraries",
     "it has no such flag: each library has a flag of its own (cloudsql.enable_...), and "
     "pg_stat_statements is loaded"},
};

/* --- which one ---------------------------------------------------------------------------- */

static bool
has_parameter(const struct catalog_server *catalog, const char *prefix)
{
    for (size_t i = 0; i < catalog->settings.count; i++) {
        if (strncmp(catalog->settings.items[i].name, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

bool
settings_find_provider(struct arena *arena, const struct deck_server *server,
                       const struct catalog_server *catalog, struct settings_managed *ret_managed)
{
    static const struct {
        const char *role;
        enum deck_provider provider;
    } signs[] = {{"rds_superuser", PROVIDER_AWS_RDS},
                 {"cloudsqlsuperuser", PROVIDER_CLOUD_SQL},
                 {"azure_pg_admin", PROVIDER_AZURE}};
    enum deck_provider provider = server->provider;

    ret_managed->sign = "the deck says so";
    if (provider == PROVIDER_UNKNOWN && catalog->patroni[0] != '\0') {
        provider = PROVIDER_PATRONI;
        ret_managed->sign = catalog->patroni;
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]) && provider == PROVIDER_UNKNOWN; i++) {
        /* No provider gives a superuser away: such a role came with somebody's dump. */
        if (catalog->is_superuser || catalog_find_role(catalog, signs[i].role) == NULL)
            continue;
        provider = signs[i].provider;
        ret_managed->sign = arena_printf(arena, "it has the role %s", signs[i].role);
        if (provider == PROVIDER_AWS_RDS && has_parameter(catalog, "aurora"))
            provider = PROVIDER_AWS_AURORA;
    }
    if (provider == PROVIDER_UNKNOWN || provider == PROVIDER_SELF)
        return false;
    ret_managed->provider = &providers[provider];
    return true;
}

/* --- one parameter ------------------------------------------------------------------------ */

const char *
settings_provider_refusal(const struct settings_provider *provider, const char *parameter)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (&providers[refusals[i].provider] == provider &&
            strcmp(refusals[i].parameter, parameter) == 0)
            return refusals[i].reason;
    }
    return NULL;
}

static const char *
in_base_unit(struct arena *arena, const struct catalog_setting *setting, const char *value)
{
    double number;

    if (!setting_number(value, setting->unit, &number))
        return value;
    if (strcmp(setting->vartype, "integer") == 0)
        return arena_printf(arena, "%.0f", rint(number));
    return arena_printf(arena, "%g", number);
}

const char *
settings_provider_value(struct arena *arena, const struct settings_provider *provider,
                        const struct catalog_setting *setting, const char *value)
{
    bool is_number =
        strcmp(setting->vartype, "integer") == 0 || strcmp(setting->vartype, "real") == 0;

    if (strcmp(setting->vartype, "bool") == 0)
        return setting_is_equal(setting, value, "on") ? provider->on : provider->off;
    return is_number && provider->has_base_units ? in_base_unit(arena, setting, value) : value;
}

const char *
settings_provider_form(struct arena *arena, const struct settings_provider *provider,
                       const struct catalog_setting *setting, const char *value)
{
    const char *own = settings_provider_value(arena, provider, setting, value);
    bool has_unit = provider->has_base_units && setting->unit[0] != '\0' && own[0] != '-';

    return arena_printf(arena, "%s = %s%s%s%s", setting->name, own, has_unit ? " (x " : "",
                        has_unit ? setting->unit : "", has_unit ? ")" : "");
}

/* --- the script --------------------------------------------------------------------------- */

/* In single quotes for the shell. */
static void
append_quoted(struct text *text, const char *word)
{
    text_append(text, "'");
    for (; *word != '\0'; word++) {
        char one[] = {*word, '\0'};
        text_append(text, *word == '\'' ? "'\\''" : one);
    }
    text_append(text, "'");
}

/* Shorthand of the AWS command line: a value with commas or blanks in double quotes. */
static void
aws_script(struct arena *arena, const struct settings_provider *provider,
           const struct settings_provider_item *items, size_t count, struct text *text)
{
    enum { AT_ONCE = 20 }; /* what one call takes */
    bool is_cluster = provider == &providers[PROVIDER_AWS_AURORA];

    text_append(text, "# In GROUP the name of a parameter group that is not the default one.\n");
    for (size_t i = 0; i < count; i++) {
        bool is_static = strcmp(items[i].setting->context, "postmaster") == 0;
        const char *value =
            settings_provider_value(arena, provider, items[i].setting, items[i].value);
        if (i % AT_ONCE == 0)
            text_appendf(text,
                         "%saws rds modify-db-%sparameter-group --db-%sparameter-group-name "
                         "\"$GROUP\" --parameters",
                         i > 0 ? "\n" : "", is_cluster ? "cluster-" : "",
                         is_cluster ? "cluster-" : "");
        text_append(text, " \\\n  ");
        append_quoted(text, arena_printf(arena,
                                         "ParameterName=%s,ParameterValue=\"%s\","
                                         "ApplyMethod=%s",
                                         items[i].setting->name, value,
                                         is_static ? "pending-reboot" : "immediate"));
    }
    text_append(text, "\n");
}

static void
cloud_sql_script(struct arena *arena, const struct settings_provider *provider,
                 const struct settings_provider_item *items, size_t count, struct text *text)
{
    text_append(text, "# This command replaces all flags of the instance: add those that it has "
                      "besides. It may restart it.\n"
                      "gcloud sql instances patch \"$INSTANCE\" --database-flags='^;^'");
    for (size_t i = 0; i < count; i++) {
        text_append(text, i > 0 ? "';'\\\n" : "\\\n");
        append_quoted(text, arena_printf(arena, "%s=%s", items[i].setting->name,
                                         settings_provider_value(arena, provider, items[i].setting,
                                                                 items[i].value)));
    }
    text_append(text, "\n");
}

static void
azure_script(struct arena *arena, const struct settings_provider *provider,
             const struct settings_provider_item *items, size_t count, struct text *text)
{
    for (size_t i = 0; i < count; i++) {
        text_appendf(text,
                     "az postgres flexible-server parameter set --resource-group "
                     "\"$RESOURCE_GROUP\" --server-name \"$SERVER\" --name %s --value=",
                     items[i].setting->name);
        append_quoted(text,
                      settings_provider_value(arena, provider, items[i].setting, items[i].value));
        text_append(text, "\n");
    }
    text_append(text, "# What needs a restart: az postgres flexible-server restart "
                      "--resource-group \"$RESOURCE_GROUP\" --name \"$SERVER\"\n");
}

static void
patroni_script(struct arena *arena, const struct settings_provider *provider,
               const struct settings_provider_item *items, size_t count, struct text *text)
{
    text_append(text, "patronictl edit-config --force \"$CLUSTER\"");
    for (size_t i = 0; i < count; i++) {
        text_append(text, " \\\n  --pg ");
        append_quoted(text, arena_printf(arena, "%s=%s", items[i].setting->name,
                                         settings_provider_value(arena, provider, items[i].setting,
                                                                 items[i].value)));
    }
    text_append(text, "\n# What needs a restart: patronictl restart --pending \"$CLUSTER\"\n");
}

void
settings_provider_script(struct arena *arena, const struct settings_provider *provider,
                         const struct settings_provider_item *items, size_t count,
                         struct text *text)
{
    static void (*const scripts[])(struct arena *, const struct settings_provider *,
                                   const struct settings_provider_item *, size_t, struct text *) = {
        [PROVIDER_AWS_RDS] = aws_script,         [PROVIDER_AWS_AURORA] = aws_script,
        [PROVIDER_CLOUD_SQL] = cloud_sql_script, [PROVIDER_AZURE] = azure_script,
        [PROVIDER_PATRONI] = patroni_script,
    };

    if (count > 0)
        scripts[provider - providers](arena, provider, items, count, text);
}
