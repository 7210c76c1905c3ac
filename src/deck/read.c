// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/text.h"
#include "deck/loader.h"
#include "deck/sql.h"
#include "deck/units.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* One value on its way from the tree into a struct. */
struct value {
    struct deck_loader *loader;
    const struct deck_key *key;
    const struct deck_node *node;
    const char *path; /* "servers.main.memory" */
    void *item;       /* the struct that has the field */
    void *field;      /* at the key's offset */
};
typedef void reader(struct value *value);

/* Every LIST_OF looks like this. */
struct any_list {
    void *items;
    size_t count;
    size_t capacity;
};

static void *
list_add(struct arena *arena, struct any_list *list, size_t item_bytes)
{
    arena_list_grow(arena, &list->items, list->count, &list->capacity, item_bytes);
    return (char *)list->items + item_bytes * list->count++;
}

static void
unit_fault(struct value *value, struct error *err)
{
    error_wrap(err, "%s", value->path);
    deck_fault_copy(value->loader->arena, value->loader->faults, value->node->place, err);
}

static bool
is_kind(struct value *value, const struct deck_node *node, enum deck_node_kind kind,
        const char *wanted)
{
    if (node->kind == kind && !deck_node_is_null(node))
        return true;
    if (deck_node_is_null(node))
        deck_loader_fault(value->loader, node->place, "%s has no value; it wants %s", value->path,
                          wanted);
    else
        deck_loader_fault(value->loader, node->place, "%s is %s; it wants %s", value->path,
                          deck_node_kind_name(node), wanted);
    return false;
}

static bool
is_text(struct value *value, const char *wanted)
{
    return is_kind(value, value->node, NODE_SCALAR, wanted);
}

/* --- scalars ------------------------------------------------------------------------------ */

static void
read_text(struct value *value)
{
    if (!is_text(value, "a text"))
        return;
    if (value->node->text[0] == '\0')
        deck_loader_fault(value->loader, value->node->place, "%s is empty", value->path);
    *(const char **)value->field = value->node->text;
}

static void
read_name(struct value *value)
{
    if (is_text(value, "a name") &&
        deck_check_name(value->loader, value->node->place, value->path, value->node->text, false))
        *(const char **)value->field = value->node->text;
}

static void
read_reference(struct value *value)
{
    if (is_text(value, "a name") && value->node->text[0] == '\0')
        deck_loader_fault(value->loader, value->node->place, "%s is empty", value->path);
}

static void
read_names(struct value *value)
{
    LIST_OF(const char *) *names = value->field;

    if (!is_kind(value, value->node, NODE_LIST, "a list of names"))
        return;
    for (size_t i = 0; i < value->node->items.count; i++) {
        const struct deck_node *item = value->node->items.items[i];
        if (!is_kind(value, item, NODE_SCALAR, "a list of names") ||
            !deck_check_name(value->loader, item->place, value->path, item->text, false))
            continue;
        for (size_t j = 0; j < names->count; j++) {
            if (strcmp(names->items[j], item->text) == 0)
                deck_loader_fault(value->loader, item->place, "%s names \"%s\" twice", value->path,
                                  item->text);
        }
        *LIST_ADD(value->loader->arena, names) = item->text;
    }
}

static void
read_texts(struct value *value)
{
    LIST_OF(const char *) *texts = value->field;

    if (!is_kind(value, value->node, NODE_LIST, "a list of texts"))
        return;
    if (value->node->items.count > (size_t)value->key->max)
        deck_loader_fault(value->loader, value->node->place, "%s has more than %lld items",
                          value->path, (long long)value->key->max);
    for (size_t i = 0; i < value->node->items.count; i++) {
        const struct deck_node *item = value->node->items.items[i];
        if (is_kind(value, item, NODE_SCALAR, "a list of texts"))
            *LIST_ADD(value->loader->arena, texts) = item->text;
    }
}

static void
read_flag(struct value *value)
{
    const struct deck_node *node = value->node;

    if (!is_text(value, "true or false"))
        return;
    if (node->is_plain && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
        *(bool *)value->field = node->text[0] == 't';
        return;
    }
    struct error *fault =
        deck_loader_fault(value->loader, node->place, "%s: \"%s\" is neither true nor false",
                          value->path, node->text);
    bool is_yes = strcasecmp(node->text, "yes") == 0 || strcasecmp(node->text, "on") == 0 ||
                  strcasecmp(node->text, "true") == 0;
    bool is_no = strcasecmp(node->text, "no") == 0 || strcasecmp(node->text, "off") == 0 ||
                 strcasecmp(node->text, "false") == 0;
    if (is_yes || is_no)
        error_hint(fault, "Write %s, without quotes.", is_yes ? "true" : "false");
}

/* Index of a scalar in the key's words, or -1 with a fault. */
static int
find_word(struct value *value, const struct deck_node *node)
{
    if (!is_kind(value, node, NODE_SCALAR, "a word"))
        return -1;
    for (int i = 0; value->key->words[i] != NULL; i++) {
        if (strcmp(value->key->words[i], node->text) == 0)
            return i;
    }
    struct error *fault = deck_loader_fault(value->loader, node->place, "%s cannot be \"%s\"",
                                            value->path, node->text);
    deck_fault_nearest(fault, node->text, value->key->words);
    return -1;
}

static void
read_choice(struct value *value)
{
    int word = find_word(value, value->node);

    if (word >= 0)
        *(int *)value->field = word;
}

static void
read_switch(struct value *value)
{
    *(bool *)value->field = find_word(value, value->node) == 1;
}

static void
read_set(struct value *value)
{
    unsigned set = 0;

    if (!is_kind(value, value->node, NODE_LIST, "a list of words"))
        return;
    for (size_t i = 0; i < value->node->items.count; i++) {
        int word = find_word(value, value->node->items.items[i]);
        if (word >= 0)
            set |= 1u << word;
    }
    *(unsigned *)value->field = set;
}

static void
read_count(struct value *value)
{
    struct error err;
    int64_t count;

    if (!is_text(value, "a number"))
        return;
    if (!value->node->is_plain) {
        struct error *fault =
            deck_loader_fault(value->loader, value->node->place,
                              "%s is a text in quotes; it wants a number", value->path);
        error_hint(fault, "Leave the quotes out.");
    } else if (deck_unit_count(value->node->text, value->key->min, value->key->max, &count, &err)) {
        *(int *)value->field = (int)count;
    } else {
        unit_fault(value, &err);
    }
}

/* Sizes and durations: an amount of at least the key's min. */
static bool
read_amount(struct value *value, bool is_size, int64_t *ret_amount)
{
    struct error err;
    const char *text = value->node->text;

    if (!is_text(value, is_size ? "a size, such as 4GB" : "a duration, such as 180s"))
        return false;
    if (!(is_size ? deck_unit_size(text, ret_amount, &err)
                  : deck_unit_duration(text, ret_amount, &err))) {
        unit_fault(value, &err);
        return false;
    }
    bool is_too_much = value->key->max > 0 && *ret_amount > value->key->max;
    if (*ret_amount >= value->key->min && !is_too_much)
        return true;
    struct error *fault = deck_loader_fault(value->loader, value->node->place, "%s: %s is too %s",
                                            value->path, text, is_too_much ? "much" : "little");
    int64_t limit = is_too_much ? value->key->max : value->key->min;
    error_hint(fault, "It must be at %s %lld%s.", is_too_much ? "most" : "least",
               (long long)(is_size ? limit >> 20 : limit), is_size ? "MB" : "ms");
    return false;
}

static void
read_size(struct value *value)
{
    int64_t bytes;

    if (read_amount(value, true, &bytes))
        *(int64_t *)value->field = bytes;
}

static void
read_duration(struct value *value)
{
    int64_t ms;

    if (read_amount(value, false, &ms))
        *(int64_t *)value->field = ms;
}

static void
read_wait(struct value *value)
{
    int64_t ms;

    if (read_amount(value, false, &ms))
        *(int *)value->field = (int)ms;
}

static void
read_share(struct value *value)
{
    struct error err;

    if (is_text(value, "a percentage, such as 95%") &&
        !deck_unit_share(value->node->text, value->field, &err))
        unit_fault(value, &err);
}

static void
read_level(struct value *value)
{
    int64_t amount;

    if (!is_text(value, "a percentage, a duration, a size or a number"))
        return;
    enum deck_level_unit unit = deck_unit_of_level(value->node->text);
    if (unit == LEVEL_SHARE)
        read_share(value);
    else if (unit == LEVEL_COUNT)
        *(double *)value->field = strtod(value->node->text, NULL);
    else if (read_amount(value, unit == LEVEL_SIZE, &amount))
        *(double *)value->field = (double)amount;
}

static void
read_range(struct value *value)
{
    struct error err;
    int *range = value->field;

    if (is_text(value, "a range, such as 50-100") &&
        !deck_unit_range(value->node->text, &range[0], &range[1], &err))
        unit_fault(value, &err);
}

static void
read_period(struct value *value)
{
    struct error err;
    struct deck_period period;
    int *fields = value->field; /* an int and its unit, side by side (keys.c) */

    if (!is_text(value, "a period, such as 1 month"))
        return;
    if (deck_unit_period(value->node->text, &period, &err)) {
        fields[0] = period.count;
        fields[1] = (int)period.unit;
    } else {
        fields[0] = -1; /* is there, although wrong: nobody needs to miss it */
        unit_fault(value, &err);
    }
}

static bool
take_word(const char **text, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t length = strlen(words[i]);
        if (strncmp(*text, words[i], length) == 0 && (*text)[length] == ' ') {
            *text += length + 1;
            return true;
        }
    }
    return false;
}

static bool
is_time_of_day(const char *text)
{
    return strlen(text) == 5 && strspn(text, "0123456789:") == 5 && text[2] == ':' &&
           text[0] != ':' && text[1] != ':' && text[3] != ':' && text[4] != ':' &&
           atoi(text) < 24 && atoi(text + 3) < 60;
}

/* Whether there is such a zone, only the server knows. Offsets such as +02 would never change to
 * summer time, and PostgreSQL reads their sign the other way round. */
static void
read_time_zone(struct value *value)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
    const char *text = value->node->text;

    if (!is_text(value, "a time zone, such as Europe/Berlin"))
        return;
    if (strchr(letters, text[0]) != NULL && text[0] != '\0' && text[strspn(text, all)] == '\0' &&
        strlen(text) < 64) {
        *(const char **)value->field = text;
        return;
    }
    struct error *fault = deck_loader_fault(value->loader, value->node->place,
                                            "%s: \"%s\" is not a time zone", value->path, text);
    error_hint(fault, "Write the name of a place, such as Europe/Berlin, or UTC.");
}

static void
read_schedule(struct value *value)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
    static const char *const turns[] = {"first", "second", "third", "fourth", "last", NULL};
    static const char *const examples[] = {[SCHEDULE_DAILY] = "00:30",
                                           [SCHEDULE_WEEKLY] = "sun 02:00",
                                           [SCHEDULE_MONTHLY] = "first sun 03:00"};
    const char *text = value->node->text;

    if (!is_text(value, "a time"))
        return;
    bool is_good = (value->key->min < SCHEDULE_MONTHLY || take_word(&text, turns)) &&
                   (value->key->min < SCHEDULE_WEEKLY || take_word(&text, days)) &&
                   is_time_of_day(text);
    if (is_good) {
        *(const char **)value->field = value->node->text;
        return;
    }
    struct error *fault =
        deck_loader_fault(value->loader, value->node->place, "%s: \"%s\" is not such a time",
                          value->path, value->node->text);
    error_hint(fault, "Write it like \"%s\".", examples[value->key->min]);
}

/* "10.0.0.0/8", "::1/128"; bits beyond the mask must be zero, as PostgreSQL's cidr wants it. */
static bool
is_network(const char *text)
{
    unsigned char address[16] = {0};
    char host[64];
    const char *slash = strchr(text, '/');
    int64_t bits;
    struct error err;

    if (slash == NULL || slash - text >= (ptrdiff_t)sizeof(host))
        return false;
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = '\0';
    bool is_v6 = strchr(host, ':') != NULL;
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, host, address) != 1 ||
        !deck_unit_count(slash + 1, 0, is_v6 ? 128 : 32, &bits, &err))
        return false;
    for (int bit = (int)bits; bit < (is_v6 ? 128 : 32); bit++) {
        if (address[bit / 8] & (0x80 >> (bit % 8)))
            return false;
    }
    return true;
}

static void
read_networks(struct value *value)
{
    LIST_OF(const char *) *networks = value->field;

    if (!is_kind(value, value->node, NODE_LIST, "a list of networks"))
        return;
    for (size_t i = 0; i < value->node->items.count; i++) {
        const struct deck_node *item = value->node->items.items[i];
        if (!is_kind(value, item, NODE_SCALAR, "a list of networks"))
            continue;
        if (is_network(item->text)) {
            *LIST_ADD(value->loader->arena, networks) = item->text;
            continue;
        }
        struct error *fault = deck_loader_fault(
            value->loader, item->place, "%s: \"%s\" is not a network", value->path, item->text);
        error_hint(fault, "Write address/bits, such as 10.0.0.0/8, with zeros behind the bits.");
    }
}

/* --- conninfo and files ------------------------------------------------------------------- */

static void
refuse_password(struct value *value)
{
    struct error *fault =
        deck_loader_fault(value->loader, value->node->place, "%s contains a password", value->path);
    error_hint(fault, "Use ~/.pgpass, PGPASSWORD or password_file: a deck is kept in version "
                      "control.");
}

static void
read_conninfo(struct value *value)
{
    const char **conninfo = value->field;
    char *problem = NULL;

    if (!is_text(value, "a text, such as host=127.0.0.1 port=5432"))
        return;
    *conninfo = value->node->text;
    *(struct place *)(conninfo + 1) = value->node->place;
    if (value->node->text[0] == '\0')
        deck_loader_fault(value->loader, value->node->place, "%s is empty", value->path);
    PQconninfoOption *options = PQconninfoParse(value->node->text, &problem);
    if (options == NULL && strcasestr(value->node->text, "password") != NULL) {
        refuse_password(value); /* libpq's message would show parts of it */
    } else if (options == NULL) {
        size_t length = problem == NULL ? 0 : strcspn(problem, "\n");
        deck_loader_fault(value->loader, value->node->place, "%s: %.*s", value->path, (int)length,
                          problem);
    }
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        bool is_secret =
            strcmp(option->keyword, "password") == 0 || strcmp(option->keyword, "sslpassword") == 0;
        if (is_secret && option->val != NULL && option->val[0] != '\0')
            refuse_password(value);
    }
    PQconninfoFree(options);
    PQfreemem(problem);
}

static void
read_file(struct value *value)
{
    read_text(value);
    if (value->node->kind == NODE_SCALAR && value->node->text[0] != '\0')
        *(const char **)value->field = deck_loader_path(value->loader, value->node);
}

static void
read_folder(struct value *value)
{
    struct stat status;

    if (!is_text(value, "a folder"))
        return;
    const char *path = deck_loader_path(value->loader, value->node);
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        deck_loader_fault(value->loader, value->node->place, "%s: there is no folder \"%s\"",
                          value->path, path);
        return;
    }
    *(const char **)value->field = path;
}

static const struct deck_sql_file *
load_sql(struct value *value, const char *path)
{
    struct deck_loader *loader = value->loader;
    bool is_indexes = value->key->min != 0;
    char *text;
    size_t length;

    for (size_t i = 0; i < loader->sql.count; i++) {
        const struct deck_sql_cached *cached = &loader->sql.items[i];
        if (strcmp(cached->path, path) == 0 && cached->is_indexes == is_indexes)
            return cached->file;
    }
    struct deck_sql_cached *cached = LIST_ADD(loader->arena, &loader->sql);
    *cached = (struct deck_sql_cached){path, is_indexes, NULL};
    if (deck_loader_read(loader, value->node->place, path, &text, &length))
        cached->file = deck_sql_read(loader->arena, path, text, length, is_indexes, loader->faults);
    return cached->file;
}

static void
read_sql(struct value *value)
{
    if (!is_text(value, "a file"))
        return;
    if (value->node->text[0] == '\0')
        deck_loader_fault(value->loader, value->node->place, "%s is empty", value->path);
    else
        *(const struct deck_sql_file **)value->field =
            load_sql(value, deck_loader_path(value->loader, value->node));
}

/* --- partitions --------------------------------------------------------------------------- */

static void
read_partition_column(struct value *value)
{
    struct deck_partition *partition = value->item;

    if (!is_text(value, "a column"))
        return;
    if (partition->column != NULL) {
        struct error *fault =
            deck_loader_fault(value->loader, value->node->place,
                              "%s: the table is partitioned in two ways", value->path);
        error_hint(fault, "Keep one of range, list and hash.");
        return;
    }
    partition->kind = (enum deck_partition_kind)value->key->min;
    if (deck_check_name(value->loader, value->node->place, value->path, value->node->text, false))
        partition->column = value->node->text;
}

static void
read_part(struct value *value, const struct deck_node_pair *pair)
{
    struct deck_partition *partition = value->item;
    struct deck_partition_part *part = LIST_ADD(value->loader->arena, &partition->parts);

    part->name = pair->key;
    part->place = pair->place;
    deck_check_name(value->loader, pair->place, value->path, pair->key, false);
    if (!is_kind(value, pair->value, NODE_LIST, "a list of values for each part"))
        return;
    if (pair->value->items.count == 0)
        deck_loader_fault(value->loader, pair->value->place, "%s.%s has no values", value->path,
                          pair->key);
    for (size_t i = 0; i < pair->value->items.count; i++) {
        const struct deck_node *item = pair->value->items.items[i];
        if (is_kind(value, item, NODE_SCALAR, "a list of values for each part"))
            *LIST_ADD(value->loader->arena, &part->values) = item->text;
    }
}

static void
read_partition_parts(struct value *value)
{
    struct deck_partition *partition = value->item;
    int64_t modulus;
    struct error err;

    if (value->node->kind == NODE_MAPPING) {
        for (size_t i = 0; i < value->node->pairs.count; i++)
            read_part(value, &value->node->pairs.items[i]);
    } else if (is_text(value, "a number (hash) or a mapping (list)")) {
        if (deck_unit_count(value->node->text, 2, 1024, &modulus, &err))
            partition->modulus = (int)modulus;
        else {
            partition->modulus = -1; /* is there, although wrong */
            unit_fault(value, &err);
        }
    }
}

/* "audit.logs" is a schema and a table, unless the schema is given by a key of its own. */
static void
settle_partition_schema(struct arena *arena, struct deck_partition *partition)
{
    const char *dot = partition->table == NULL ? NULL : strchr(partition->table, '.');

    if (partition->schema == NULL && dot != NULL && dot != partition->table && dot[1] != '\0') {
        partition->schema =
            arena_strndup(arena, partition->table, (size_t)(dot - partition->table));
        partition->table = dot + 1;
    } else if (partition->schema == NULL) {
        partition->schema = "public";
    }
}

static void
read_partitions(struct value *value)
{
    struct arena *arena = value->loader->arena;
    struct deck_partitions *partitions = ARENA_NEW(arena, struct deck_partitions);

    if (!is_kind(value, value->node, NODE_LIST, "a list"))
        return;
    *(const struct deck_partitions **)value->field = partitions;
    for (size_t i = 0; i < value->node->items.count; i++) {
        const struct deck_node *item = value->node->items.items[i];
        struct deck_partition *partition = LIST_ADD(arena, &partitions->list);
        memcpy(partition, value->key->table->defaults, sizeof(*partition));
        partition->place = item->place;
        deck_read(value->loader, value->key->table, item,
                  arena_printf(arena, "%s.%zu", value->path, i), partition);
        settle_partition_schema(arena, partition);
    }
}

/* --- mappings ----------------------------------------------------------------------------- */

static void
read_nested(struct value *value)
{
    deck_read(value->loader, value->key->table, value->node, value->path, value->field);
}

static void
read_map(struct value *value)
{
    const struct deck_table *table = value->key->table;
    struct arena *arena = value->loader->arena;

    if (!is_kind(value, value->node, NODE_MAPPING, "a mapping of names"))
        return;
    for (size_t i = 0; i < value->node->pairs.count; i++) {
        const struct deck_node_pair *pair = &value->node->pairs.items[i];
        char *item = list_add(arena, value->field, table->item_bytes);
        if (table->defaults != NULL)
            memcpy(item, table->defaults, table->item_bytes);
        memcpy(item + table->name_offset, &pair->key, sizeof(pair->key));
        memcpy(item + table->place_offset, &pair->place, sizeof(pair->place));
        deck_check_name(value->loader, pair->place, table->what, pair->key, table->has_role_names);
        deck_read(value->loader, table, pair->value,
                  arena_printf(arena, "%s.%s", value->path, pair->key), item);
    }
}

static void
read_settings(struct value *value)
{
    deck_read_settings(value->loader, value->node, value->path, value->field);
}

static void
read_nothing(struct value *value)
{
    (void)value;
}

static reader *const readers[KEY_TYPES] = {
    [KEY_TEXT] = read_text,
    [KEY_NAME] = read_name,
    [KEY_NAMES] = read_names,
    [KEY_TEXTS] = read_texts,
    [KEY_FLAG] = read_flag,
    [KEY_SWITCH] = read_switch,
    [KEY_COUNT] = read_count,
    [KEY_SIZE] = read_size,
    [KEY_DURATION] = read_duration,
    [KEY_WAIT] = read_wait,
    [KEY_SHARE] = read_share,
    [KEY_RANGE] = read_range,
    [KEY_PERIOD] = read_period,
    [KEY_CHOICE] = read_choice,
    [KEY_SET] = read_set,
    [KEY_SCHEDULE] = read_schedule,
    [KEY_TIME_ZONE] = read_time_zone,
    [KEY_NETWORKS] = read_networks,
    [KEY_LEVEL] = read_level,
    [KEY_CONNINFO] = read_conninfo,
    [KEY_FILE] = read_file,
    [KEY_FOLDER] = read_folder,
    [KEY_SQL] = read_sql,
    [KEY_REFERENCE] = read_reference,
    [KEY_PARTITION_COLUMN] = read_partition_column,
    [KEY_PARTITION_PARTS] = read_partition_parts,
    [KEY_PARTITIONS] = read_partitions,
    [KEY_SETTINGS] = read_settings,
    [KEY_EXTENDS] = read_nothing,
    [KEY_MAPPING] = read_nested,
    [KEY_MAP] = read_map,
};

static void
unknown_key(struct deck_loader *loader, const struct deck_table *table,
            const struct deck_node_pair *pair, const char *path)
{
    const char **names = ARENA_ARRAY(loader->arena, const char *, table->count + 1);

    for (size_t i = 0; i < table->count; i++)
        names[i] = table->keys[i].name;
    struct error *fault =
        path[0] == '\0'
            ? deck_loader_fault(loader, pair->place, "unknown key \"%s\"", pair->key)
            : deck_loader_fault(loader, pair->place, "unknown key \"%s\" in %s", pair->key, path);
    deck_fault_nearest(fault, pair->key, names);
}

static bool
is_none(const struct deck_key *key, const struct deck_node *node)
{
    return key->can_be_none &&
           (deck_node_is_null(node) ||
            (node->kind == NODE_SCALAR && node->is_plain && strcmp(node->text, "none") == 0));
}

void
deck_read(struct deck_loader *loader, const struct deck_table *table, const struct deck_node *node,
          const char *path, void *target)
{
    const char *dot = path[0] == '\0' ? "" : ".";

    if (node->kind != NODE_MAPPING) {
        struct error *fault =
            deck_loader_fault(loader, node->place, "%s is %s; it wants a mapping",
                              path[0] == '\0' ? "the deck" : path,
                              deck_node_is_null(node) ? "empty" : deck_node_kind_name(node));
        error_hint(fault, "Begin with \"%s: ...\".", table->keys[0].name);
        return;
    }
    for (size_t i = 0; i < node->pairs.count; i++) {
        const struct deck_node_pair *pair = &node->pairs.items[i];
        const struct deck_key *key = deck_key_find(table, pair->key);
        if (key == NULL) {
            unknown_key(loader, table, pair, path);
            continue;
        }
        struct value value = {
            loader,      key,
            pair->value, arena_printf(loader->arena, "%s%s%s", path, dot, key->name),
            target,      (char *)target + key->offset};
        if (!is_none(key, pair->value))
            readers[key->type](&value);
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct deck_key *key = &table->keys[i];
        if (!key->is_required || deck_node_get(node, key->name) != NULL)
            continue;
        struct error *fault = deck_loader_fault(loader, node->place, "%s has no %s",
                                                path[0] == '\0' ? "the deck" : path, key->name);
        error_hint(fault, "%s: %s.", key->name, key->help);
    }
}
