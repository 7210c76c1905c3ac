// SPDX-License-Identifier: MIT
#include "base/text.h"
#include "cli/init.h"
#include "deck/units.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

enum { BOOTSTRAP_SUPERUSER_OID = 10 };

struct writer {
    yaml_emitter_t emitter;
    struct text text;
    bool has_failed;
};

static int
write_out(void *data, unsigned char *buffer, size_t size)
{
    struct writer *writer = data;

    text_append_bytes(&writer->text, (const char *)buffer, size);
    return 1;
}

/* Gives the event to the emitter, which frees it in any case. */
static void
emit(struct writer *writer, yaml_event_t *event, int is_made)
{
    if (!is_made || writer->has_failed || !yaml_emitter_emit(&writer->emitter, event))
        writer->has_failed = true;
}

/* A plain word that no YAML reader takes for something else. */
static bool
is_plain_word(const char *text)
{
    static const char *const special[] = {"null", "none", "true", "false", "yes", "no",
                                          "on",   "off",  "y",    "n",     NULL};

    if (!isalpha((unsigned char)text[0]) && text[0] != '_')
        return false;
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (!isascii((unsigned char)text[i]) ||
            (!isalnum((unsigned char)text[i]) && text[i] != '_'))
            return false;
    }
    for (size_t i = 0; special[i] != NULL; i++) {
        if (strcasecmp(text, special[i]) == 0)
            return false;
    }
    return true;
}

static void
scalar(struct writer *writer, const char *text, bool is_plain)
{
    yaml_event_t event;
    yaml_scalar_style_t style =
        is_plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;

    emit(writer, &event,
         yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                      (int)strlen(text), 1, 1, style));
}

/* A name or text of the user's. */
static void
name(struct writer *writer, const char *text)
{
    scalar(writer, text, is_plain_word(text));
}

static void
number(struct writer *writer, struct arena *arena, int value)
{
    scalar(writer, arena_printf(arena, "%d", value), true);
}

static void
begin_mapping(struct writer *writer, bool is_flow)
{
    yaml_event_t event;

    emit(writer, &event,
         yaml_mapping_start_event_initialize(
             &event, NULL, NULL, 1, is_flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE));
}

static void
end_mapping(struct writer *writer)
{
    yaml_event_t event;

    emit(writer, &event, yaml_mapping_end_event_initialize(&event));
}

static void
begin_list(struct writer *writer, bool is_flow)
{
    yaml_event_t event;

    emit(writer, &event,
         yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                              is_flow ? YAML_FLOW_SEQUENCE_STYLE
                                                      : YAML_BLOCK_SEQUENCE_STYLE));
}

static void
end_list(struct writer *writer)
{
    yaml_event_t event;

    emit(writer, &event, yaml_sequence_end_event_initialize(&event));
}

/* --- parts of the deck -------------------------------------------------------------------- */

static void
write_parts(struct writer *writer, const struct deck_partition *partition)
{
    begin_mapping(writer, true);
    for (size_t i = 0; i < partition->parts.count; i++) {
        const struct deck_partition_part *part = &partition->parts.items[i];
        name(writer, part->name);
        begin_list(writer, true);
        for (size_t j = 0; j < part->values.count; j++)
            name(writer, part->values.items[j]);
        end_list(writer);
    }
    end_mapping(writer);
}

static void
write_partition(struct writer *writer, struct arena *arena, const struct deck_partition *partition)
{
    static const char *const kinds[] = {
        [PARTITION_RANGE] = "range", [PARTITION_LIST] = "list", [PARTITION_HASH] = "hash"};
    begin_mapping(writer, true);
    scalar(writer, "schema", true);
    name(writer, partition->schema);
    scalar(writer, "table", true);
    name(writer, partition->table);
    scalar(writer, kinds[partition->kind], true);
    name(writer, partition->column);
    if (partition->kind == PARTITION_RANGE) {
        scalar(writer, "every", true);
        scalar(writer,
               arena_printf(arena, "%d %s%s", partition->every, deck_unit_name(partition->unit),
                            partition->every == 1 ? "" : "s"),
               true);
        scalar(writer, "premake", true);
        number(writer, arena, partition->premake);
        scalar(writer, "past", true);
        number(writer, arena, partition->past);
    } else {
        scalar(writer, "parts", true);
        if (partition->kind == PARTITION_HASH)
            number(writer, arena, partition->modulus);
        else
            write_parts(writer, partition);
    }
    end_mapping(writer);
}

static void
write_database(struct writer *writer, struct arena *arena, const struct init_database *database,
               const char *environment)
{
    name(writer, database->catalog->name);
    begin_mapping(writer, false);
    scalar(writer, "environment", true);
    name(writer, environment);
    if (database->indexes_path != NULL) {
        scalar(writer, "indexes", true);
        name(writer, database->indexes_path);
    }
    if (database->partitions.list.count > 0) {
        scalar(writer, "partitions", true);
        begin_list(writer, false);
        for (size_t i = 0; i < database->partitions.list.count; i++)
            write_partition(writer, arena, &database->partitions.list.items[i]);
        end_list(writer);
    }
    end_mapping(writer);
}

static bool
is_taken(const struct catalog_role *role)
{
    return role->oid != BOOTSTRAP_SUPERUSER_OID && strncmp(role->name, "pg_", 3) != 0 &&
           text_utf8_length(role->name, strlen(role->name)) == strlen(role->name);
}

/* Memberships in roles that are not listed themselves are left out: they stay as they are. */
static void
write_memberships(struct writer *writer, const struct catalog_server *server,
                  const struct catalog_role *role)
{
    size_t count = 0;

    for (size_t i = 0; i < role->member_of_count; i++) {
        const struct catalog_role *group = catalog_find_role(server, role->member_of[i]);
        if (group != NULL ? !is_taken(group) : strncmp(role->member_of[i], "pg_", 3) != 0)
            continue;
        if (count++ == 0) {
            scalar(writer, "member_of", true);
            begin_list(writer, true);
        }
        name(writer, role->member_of[i]);
    }
    if (count > 0)
        end_list(writer);
}

static void
write_roles(struct writer *writer, struct arena *arena, struct init_deck *deck)
{
    const struct catalog_server *server = deck->server;

    for (size_t i = 0; i < server->roles.count; i++) {
        const struct catalog_role *role = &server->roles.items[i];
        if (!is_taken(role))
            continue;
        if (deck->role_count++ == 0) {
            scalar(writer, "roles", true);
            begin_mapping(writer, false);
        }
        name(writer, role->name);
        begin_mapping(writer, true);
        scalar(writer, "login", true);
        scalar(writer, role->can_login ? "true" : "false", true);
        if (role->connection_limit >= 0) {
            scalar(writer, "connection_limit", true);
            number(writer, arena, role->connection_limit);
        }
        write_memberships(writer, server, role);
        end_mapping(writer);
    }
    if (deck->role_count > 0)
        end_mapping(writer);
}

/* A name for the environment whose owner's role is not one that is there. */
static const char *
environment_name(struct arena *arena, const struct catalog_server *server)
{
    const char *environment = "main";

    for (int i = 2; catalog_find_role(server, arena_printf(arena, "%s_owner", environment)); i++)
        environment = arena_printf(arena, "main%d", i);
    return environment;
}

static void
write_deck(struct writer *writer, struct arena *arena, struct init_deck *deck)
{
    const char *environment = environment_name(arena, deck->server);

    begin_mapping(writer, false);
    scalar(writer, "deck", true);
    name(writer, deck->name);
    scalar(writer, "advisors", true);
    begin_list(writer, true);
    scalar(writer, "index", true);
    scalar(writer, "partition", true);
    end_list(writer);
    scalar(writer, "servers", true);
    begin_mapping(writer, false);
    scalar(writer, "main", true);
    begin_mapping(writer, false);
    scalar(writer, "conninfo", true);
    name(writer, deck->conninfo);
    end_mapping(writer);
    end_mapping(writer);
    scalar(writer, "environments", true);
    begin_mapping(writer, false);
    name(writer, environment);
    begin_mapping(writer, false);
    scalar(writer, "server", true);
    scalar(writer, "main", true);
    end_mapping(writer);
    end_mapping(writer);
    scalar(writer, "databases", true);
    begin_mapping(writer, false);
    for (size_t i = 0; i < deck->databases.count; i++)
        write_database(writer, arena, &deck->databases.items[i], environment);
    end_mapping(writer);
    write_roles(writer, arena, deck);
    end_mapping(writer);
}

const char *
init_yaml(struct arena *arena, struct init_deck *deck, struct error *err)
{
    struct writer writer = {0};
    yaml_event_t event;
    const char *result = NULL;

    if (!yaml_emitter_initialize(&writer.emitter)) {
        error_set(err, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    text_append(&writer.text,
                "# Written by pgdeck init: the server as it is. \"advisors\" says who "
                "may propose changes:\n# only indexes and partitions, until you add "
                "settings, schema, monitoring, security.\n");
    yaml_emitter_set_output(&writer.emitter, write_out, &writer);
    yaml_emitter_set_unicode(&writer.emitter, 1);
    yaml_emitter_set_width(&writer.emitter, -1); /* no line breaks in texts */
    emit(&writer, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(&writer, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    write_deck(&writer, arena, deck);
    emit(&writer, &event, yaml_document_end_event_initialize(&event, 1));
    emit(&writer, &event, yaml_stream_end_event_initialize(&event));
    for (size_t i = 0; i < deck->remarks.count; i++)
        text_appendf(&writer.text, "%s#   %s\n", i == 0 ? "\n# Not taken over:\n" : "",
                     deck->remarks.items[i]);
    if (writer.has_failed)
        error_set(err, ERROR_INTERNAL, "the deck cannot be written as YAML: %s",
                  writer.emitter.problem == NULL ? "out of memory" : writer.emitter.problem);
    else
        result = arena_strdup(arena, text_chars(&writer.text));
    yaml_emitter_delete(&writer.emitter);
    text_release(&writer.text);
    return result;
}
