// SPDX-License-Identifier: MIT
#include "deck/json_schema.h"

#include "deck/keys.h"

#include <jansson.h>
#include <string.h>

/* Draft 7, which editors and Debian's python3-jsonschema know. */
#define SIZE_PATTERN "^[0-9]+(\\.[0-9]+)? *(B|kB|MB|GB|TB)$"
#define DURATION_PATTERN "^([0-9]+(\\.[0-9]+)? *(ms|s|min|h|d)|0)$"
#define SHARE_PATTERN "^[0-9]+(\\.[0-9]+)? *%$"
#define RANGE_PATTERN "^[0-9]+ *- *[0-9]+$"
#define PERIOD_PATTERN "^[1-9][0-9]* *(day|week|month|year|id)s?$"
#define TIME_PATTERN "([01][0-9]|2[0-3]):[0-5][0-9]$"
#define DAY_PATTERN "(mon|tue|wed|thu|fri|sat|sun) "
#define TURN_PATTERN "(first|second|third|fourth|last) "

static json_t *table_schema(const struct deck_table *table);

/* Names may look like numbers or flags: database 2024. */
static json_t *
name_schema(void)
{
    return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

static json_t *
pattern_schema(const char *pattern)
{
    return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

/* Like pattern_schema; a plain 0 is a number in YAML. */
static json_t *
amount_schema(const char *pattern)
{
    return json_pack("{s:[{s:s, s:s}, {s:i}]}", "anyOf", "type", "string", "pattern", pattern,
                     "const", 0);
}

static json_t *
list_schema(json_t *items)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *
words_schema(const char *const *words)
{
    json_t *list = json_array();

    for (; *words != NULL; words++)
        json_array_append_new(list, json_string(*words));
    return json_pack("{s:o}", "enum", list);
}

static json_t *
parts_schema(void)
{
    return json_pack("{s:[{s:s, s:i, s:i}, {s:s, s:o}]}", "oneOf", "type", "integer", "minimum", 2,
                     "maximum", 1024, "type", "object", "additionalProperties",
                     list_schema(name_schema()));
}

static json_t *
schedule_schema(const struct deck_key *key)
{
    static const char *const patterns[] = {
        [SCHEDULE_DAILY] = "^" TIME_PATTERN,
        [SCHEDULE_WEEKLY] = "^" DAY_PATTERN TIME_PATTERN,
        [SCHEDULE_MONTHLY] = "^" TURN_PATTERN DAY_PATTERN TIME_PATTERN,
    };

    return pattern_schema(patterns[key->min]);
}

/* A parameter's value: on, 0.9, 64MB, [pg_stat_statements, auto_explain]. */
static json_t *
settings_schema(void)
{
    json_t *value = json_pack("{s:[o, o]}", "anyOf", name_schema(), list_schema(name_schema()));

    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", value);
}

static json_t *
value_schema(const struct deck_key *key)
{
    switch (key->type) {
    case KEY_FLAG:
        return json_pack("{s:s}", "type", "boolean");
    case KEY_COUNT:
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)key->min,
                         "maximum", (json_int_t)key->max);
    case KEY_SIZE:
        return pattern_schema(SIZE_PATTERN);
    case KEY_DURATION:
    case KEY_WAIT:
        return amount_schema(DURATION_PATTERN);
    case KEY_SHARE:
        return pattern_schema(SHARE_PATTERN);
    case KEY_LEVEL:
        return json_pack("{s:[o,o,o,{s:s, s:i}]}", "anyOf", pattern_schema(SHARE_PATTERN),
                         amount_schema(DURATION_PATTERN), pattern_schema(SIZE_PATTERN), "type",
                         "integer", "minimum", 0);
    case KEY_RANGE:
        return pattern_schema(RANGE_PATTERN);
    case KEY_PERIOD:
        return pattern_schema(PERIOD_PATTERN);
    case KEY_SCHEDULE:
        return schedule_schema(key);
    case KEY_TIME_ZONE:
        return pattern_schema("^[A-Za-z][A-Za-z0-9_+/-]*$");
    case KEY_CHOICE:
    case KEY_SWITCH:
        return words_schema(key->words);
    case KEY_SET:
        return list_schema(words_schema(key->words));
    case KEY_NAMES:
    case KEY_TEXTS:
        return list_schema(name_schema());
    case KEY_NETWORKS:
        return list_schema(pattern_schema("^[0-9a-fA-F.:]+/[0-9]+$"));
    case KEY_PARTITION_PARTS:
        return parts_schema();
    case KEY_PARTITIONS:
        return list_schema(table_schema(key->table));
    case KEY_SETTINGS:
        return settings_schema();
    case KEY_MAPPING:
        return table_schema(key->table);
    case KEY_MAP:
        return json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
                         table_schema(key->table));
    default:
        return name_schema();
    }
}

static json_t *
key_schema(const struct deck_key *key)
{
    json_t *schema = value_schema(key);

    if (key->can_be_none)
        schema = json_pack("{s:[o, {s:[n, s]}]}", "anyOf", schema, "enum", "none");
    json_object_set_new(schema, "description", json_string(key->help));
    return schema;
}

static json_t *
table_schema(const struct deck_table *table)
{
    json_t *properties = json_object();

    for (size_t i = 0; i < table->count; i++)
        json_object_set_new(properties, table->keys[i].name, key_schema(&table->keys[i]));
    return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                     "additionalProperties", false);
}

/* What must be there. Apart from the rest, since a deck that extends another may leave it out;
 * NULL when nothing must. */
static json_t *
required_schema(const struct deck_table *table)
{
    json_t *required = json_array();
    json_t *properties = json_object();

    for (size_t i = 0; i < table->count; i++) {
        const struct deck_key *key = &table->keys[i];
        json_t *inner = key->table == NULL ? NULL : required_schema(key->table);
        if (key->is_required)
            json_array_append_new(required, json_string(key->name));
        if (inner != NULL && key->type == KEY_MAP)
            inner = json_pack("{s:o}", "additionalProperties", inner);
        else if (inner != NULL && key->type == KEY_PARTITIONS)
            inner = json_pack("{s:o}", "items", inner);
        if (inner != NULL)
            json_object_set_new(properties, key->name, inner);
    }
    if (json_array_size(required) == 0 && json_object_size(properties) == 0) {
        json_decref(required);
        json_decref(properties);
        return NULL;
    }
    return json_pack("{s:o, s:o}", "required", required, "properties", properties);
}

void
deck_json_schema_print(FILE *file)
{
    json_t *root = json_pack("{s:s, s:s}", "$schema", "http://json-schema.org/draft-07/schema#",
                             "title", "pgdeck: a deck");
    json_t *table = table_schema(&deck_root_table);

    json_object_update(root, table);
    json_decref(table);
    json_object_set_new(root, "if", json_pack("{s:[s]}", "required", "extends"));
    json_object_set_new(root, "else", required_schema(&deck_root_table));
    json_dumpf(root, file, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    fputc('\n', file);
    json_decref(root);
}
