// SPDX-License-Identifier: MIT
#include "deck/yaml.h"

#include "base/text.h"

#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 4 << 20, MAX_DEPTH = 24, MAX_NODES = 100000, MAX_KEYS = 5000 };

struct reading {
    struct arena *arena;
    struct deck_faults *faults;
    const char *file;
    const char *text;
    size_t length;
    size_t node_count;
    yaml_parser_t parser;
};

static struct deck_node *read_node(struct reading *reading, const yaml_event_t *event, int depth);

static struct place
place_of(const struct reading *reading, const yaml_mark_t *mark)
{
    return (struct place){reading->file, (int)mark->line + 1, (int)mark->column + 1};
}

/* The place of a byte. */
static struct place
place_at(const struct reading *reading, size_t offset)
{
    struct place place = {reading->file, 1, 1};

    for (size_t i = 0; i < offset && i < reading->length; i++) {
        if (reading->text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)reading->text[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static void
syntax_fault(struct reading *reading)
{
    const yaml_parser_t *parser = &reading->parser;
    struct place place = place_of(reading, &parser->problem_mark);
    const char *problem = parser->problem == NULL ? "cannot be read" : parser->problem;
    struct error *fault;

    if (parser->error == YAML_READER_ERROR)
        place = place_at(reading, parser->problem_offset);
    fault = deck_fault(reading->arena, reading->faults, place, "%s", problem);
    if (parser->error == YAML_READER_ERROR)
        error_hint(fault, "A deck is written in UTF-8, without control characters.");
    else if (parser->context != NULL && parser->context_mark.line != parser->problem_mark.line)
        error_detail(fault, "It happened %s that begins in line %d.", parser->context,
                     (int)parser->context_mark.line + 1);
    else if (parser->context != NULL)
        error_detail(fault, "It happened %s.", parser->context);
    if (strstr(problem, "mapping values are not allowed") != NULL)
        error_hint(fault, "Put a text that contains \": \" in quotes; check the indentation.");
}

/* False (with a fault) when the text goes wrong here. The caller deletes the event. */
static bool
next_event(struct reading *reading, yaml_event_t *ret_event)
{
    if (yaml_parser_parse(&reading->parser, ret_event))
        return true;
    syntax_fault(reading);
    return false;
}

static void
refuse_extras(struct reading *reading, const yaml_event_t *event, const yaml_char_t *anchor,
              const yaml_char_t *tag)
{
    struct place place = place_of(reading, &event->start_mark);

    if (anchor != NULL) {
        struct error *fault = deck_fault(reading->arena, reading->faults, place,
                                         "anchors (&%s) have no place in a deck", anchor);
        error_hint(fault, "Write the values out, or share a file with \"extends: other.yaml\".");
    }
    if (tag != NULL)
        deck_fault(reading->arena, reading->faults, place, "tags (%s) have no place in a deck",
                   tag);
}

static struct deck_node *
read_scalar(struct reading *reading, const yaml_event_t *event, struct deck_node *node)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;

    refuse_extras(reading, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(text, '\0', length) != NULL)
        deck_fault(reading->arena, reading->faults, node->place,
                   "a text contains the character NUL");
    node->kind = NODE_SCALAR;
    node->text = arena_strndup(reading->arena, text, strnlen(text, length));
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return node;
}

static struct deck_node *
read_list(struct reading *reading, const yaml_event_t *event, struct deck_node *node, int depth)
{
    node->kind = NODE_LIST;
    refuse_extras(reading, event, event->data.sequence_start.anchor,
                  event->data.sequence_start.tag);
    for (;;) {
        yaml_event_t next;
        if (!next_event(reading, &next))
            return NULL;
        if (next.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&next);
            return node;
        }
        struct deck_node *item = read_node(reading, &next, depth + 1);
        yaml_event_delete(&next);
        if (item == NULL)
            return NULL;
        *LIST_ADD(reading->arena, &node->items) = item;
    }
}

/* Reads the value of a key and adds both; a key that is there already keeps its first value. */
static bool
read_pair(struct reading *reading, const yaml_event_t *event, struct deck_node *node, int depth)
{
    struct place place = place_of(reading, &event->start_mark);
    yaml_event_t next;

    if (event->type != YAML_SCALAR_EVENT) {
        deck_fault(reading->arena, reading->faults, place, "a key must be a text");
        return false;
    }
    struct deck_node *key = read_node(reading, event, depth + 1);
    if (key == NULL || !next_event(reading, &next))
        return false;
    struct deck_node *value = read_node(reading, &next, depth + 1);
    yaml_event_delete(&next);
    if (value == NULL)
        return false;
    const struct deck_node_pair *earlier = deck_node_find_pair(node, key->text);
    if (earlier != NULL) {
        struct error *fault =
            deck_fault(reading->arena, reading->faults, place, "duplicate key \"%s\"", key->text);
        error_detail(fault, "It is there already in line %d.", earlier->place.line);
        return true;
    }
    *LIST_ADD(reading->arena, &node->pairs) = (struct deck_node_pair){key->text, place, value};
    return true;
}

static struct deck_node *
read_mapping(struct reading *reading, const yaml_event_t *event, struct deck_node *node, int depth)
{
    node->kind = NODE_MAPPING;
    refuse_extras(reading, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    for (;;) {
        yaml_event_t next;
        if (!next_event(reading, &next))
            return NULL;
        bool has_ended = next.type == YAML_MAPPING_END_EVENT;
        bool is_read = has_ended || read_pair(reading, &next, node, depth);
        yaml_event_delete(&next);
        if (has_ended)
            return node;
        if (!is_read)
            return NULL;
        if (node->pairs.count > MAX_KEYS) {
            deck_fault(reading->arena, reading->faults, node->place, "more than %d keys", MAX_KEYS);
            return NULL;
        }
    }
}

static struct deck_node *
read_node(struct reading *reading, const yaml_event_t *event, int depth)
{
    struct deck_node *node = ARENA_NEW(reading->arena, struct deck_node);

    node->place = place_of(reading, &event->start_mark);
    if (depth > MAX_DEPTH || ++reading->node_count > MAX_NODES) {
        deck_fault(reading->arena, reading->faults, node->place,
                   depth > MAX_DEPTH ? "nested more than %d deep" : "more than %d values",
                   depth > MAX_DEPTH ? MAX_DEPTH : MAX_NODES);
        return NULL;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reading, event, node);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(reading, event, node, depth);
    case YAML_MAPPING_START_EVENT:
        return read_mapping(reading, event, node, depth);
    case YAML_ALIAS_EVENT: {
        struct error *fault =
            deck_fault(reading->arena, reading->faults, node->place,
                       "aliases (*%s) have no place in a deck", event->data.alias.anchor);
        error_hint(fault, "Write the values out, or share a file with \"extends: other.yaml\".");
        node->text = "";
        return node;
    }
    default:
        deck_fault(reading->arena, reading->faults, node->place, "a value is missing");
        return NULL;
    }
}

/* libyaml lets tabs pass in some places and blames others on the next token. */
static bool
has_tab_indent(struct reading *reading)
{
    bool is_indent = true;

    for (size_t i = 0; i < reading->length; i++) {
        char c = reading->text[i];
        if (is_indent && c == '\t') {
            struct error *fault = deck_fault(reading->arena, reading->faults, place_at(reading, i),
                                             "a tab is used for indentation");
            error_hint(fault, "Indent with spaces.");
            return true;
        }
        is_indent = c == '\n' || (is_indent && c == ' ');
    }
    return false;
}

static bool
is_readable(struct reading *reading)
{
    const char *nul = memchr(reading->text, '\0', reading->length);
    struct place start = {reading->file, 0, 0};

    if (reading->length > MAX_BYTES) {
        deck_fault(reading->arena, reading->faults, start, "longer than %d bytes", MAX_BYTES);
        return false;
    }
    if (nul != NULL) {
        deck_fault(reading->arena, reading->faults,
                   place_at(reading, (size_t)(nul - reading->text)),
                   "the file contains the character NUL");
        return false;
    }
    return !has_tab_indent(reading);
}

/* After the stream has begun: the one document. */
static struct deck_node *
read_document(struct reading *reading)
{
    struct deck_node *root = NULL;
    bool has_ended = false;
    bool is_read = true;

    while (is_read && !has_ended) {
        yaml_event_t event;
        if (!next_event(reading, &event))
            return NULL;
        if (event.type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            struct error *fault =
                deck_fault(reading->arena, reading->faults, place_of(reading, &event.start_mark),
                           "a second document begins here");
            error_hint(fault, "A deck is one document: remove the line \"---\".");
            is_read = false;
        } else if (event.type == YAML_STREAM_END_EVENT) {
            has_ended = true;
        } else if (event.type != YAML_STREAM_START_EVENT &&
                   event.type != YAML_DOCUMENT_START_EVENT &&
                   event.type != YAML_DOCUMENT_END_EVENT) {
            root = read_node(reading, &event, 0);
            is_read = root != NULL;
        }
        yaml_event_delete(&event);
    }
    return is_read ? root : NULL;
}

struct deck_node *
deck_yaml_read(struct arena *arena, const char *file, const char *text, size_t length,
               struct deck_faults *faults)
{
    struct reading reading = {
        .arena = arena, .faults = faults, .file = file, .text = text, .length = length};
    struct deck_node *root = NULL;

    if (!is_readable(&reading))
        return NULL;
    if (!yaml_parser_initialize(&reading.parser)) {
        deck_fault(arena, faults, (struct place){file, 0, 0}, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&reading.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reading.parser, (const unsigned char *)text, length);
    root = read_document(&reading);
    yaml_parser_delete(&reading.parser);
    return root;
}

struct deck_node_pair *
deck_node_find_pair(const struct deck_node *mapping, const char *key)
{
    if (mapping == NULL || mapping->kind != NODE_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->pairs.count; i++) {
        if (strcmp(mapping->pairs.items[i].key, key) == 0)
            return &mapping->pairs.items[i];
    }
    return NULL;
}

struct deck_node *
deck_node_get(const struct deck_node *mapping, const char *key)
{
    const struct deck_node_pair *pair = deck_node_find_pair(mapping, key);

    return pair == NULL ? NULL : pair->value;
}

bool
deck_node_is_null(const struct deck_node *node)
{
    return node->kind == NODE_SCALAR && node->is_plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0);
}

const char *
deck_node_kind_name(const struct deck_node *node)
{
    static const char *const names[] = {
        [NODE_SCALAR] = "a text", [NODE_LIST] = "a list", [NODE_MAPPING] = "a mapping"};

    return names[node->kind];
}
