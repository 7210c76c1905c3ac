// SPDX-License-Identifier: MIT
#include "base/page.h"

#include "base/embed.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 64 };

struct scope {
    const json_t *value;
    const struct scope *outer;
};

/* What stands between two double braces. */
struct tag {
    char kind; /* '=' a value, '#', '^', '/', '>', '!' */
    char name[MAX_NAME];
    const char *start; /* of the braces */
    const char *end;   /* behind them */
};

static void
template_fault(const char *path, const char *what, const char *at)
{
    fprintf(stderr, "pgdeck: internal error: %s: %s near \"%.40s\"\n", path, what, at);
    abort();
}

void
page_escape(struct text *out, const char *chars)
{
    for (; *chars != '\0'; chars++) {
        switch (*chars) {
        case '&':
            text_append(out, "&amp;");
            break;
        case '<':
            text_append(out, "&lt;");
            break;
        case '>':
            text_append(out, "&gt;");
            break;
        case '"':
            text_append(out, "&quot;");
            break;
        case '\'':
            text_append(out, "&#39;");
            break;
        default:
            if ((unsigned char)*chars < ' ' && *chars != '\n' && *chars != '\t')
                text_append(out, "\xef\xbf\xbd");
            else
                text_append_bytes(out, chars, 1);
        }
    }
}

static bool
next_tag(const char *path, const char *at, struct tag *ret_tag)
{
    const char *start = strstr(at, "{{");

    if (start == NULL)
        return false;
    bool is_remark = strncmp(start, "{{!--", 5) == 0;
    const char *end = strstr(start, is_remark ? "--}}" : "}}");
    if (end == NULL)
        template_fault(path, "braces without an end", start);
    const char *name = start + 2;
    ret_tag->kind = '=';
    if (strchr("#^/>!", *name) != NULL)
        ret_tag->kind = *name++;
    ret_tag->start = start;
    ret_tag->end = end + (is_remark ? 4 : 2);
    if (is_remark)
        return true;
    if (end - name >= MAX_NAME || end == name)
        template_fault(path, "bad name", start);
    snprintf(ret_tag->name, sizeof(ret_tag->name), "%.*s", (int)(end - name), name);
    return true;
}

/* The tag that ends the section opened by tag. */
static struct tag
section_end(const char *path, const struct tag *tag)
{
    struct tag inner;
    int depth = 1;

    for (const char *at = tag->end; next_tag(path, at, &inner); at = inner.end) {
        if (inner.kind == '#' || inner.kind == '^')
            depth++;
        else if (inner.kind == '/')
            depth--;
        if (depth > 0)
            continue;
        if (strcmp(inner.name, tag->name) != 0)
            template_fault(path, "end of another section", inner.start);
        return inner;
    }
    template_fault(path, "section without an end", tag->start);
    return inner;
}

static const json_t *
look_up(const struct scope *scope, const char *name)
{
    if (strcmp(name, ".") == 0)
        return scope->value;
    for (; scope != NULL; scope = scope->outer) {
        const json_t *member = json_object_get(scope->value, name);
        if (member != NULL)
            return member;
    }
    return NULL;
}

static bool
is_shown(const json_t *value)
{
    if (value == NULL || json_is_null(value) || json_is_false(value))
        return false;
    if (json_is_array(value))
        return json_array_size(value) > 0;
    return !json_is_string(value) || json_string_length(value) > 0;
}

static void
put_value(struct text *out, const json_t *value)
{
    if (json_is_string(value))
        page_escape(out, json_string_value(value));
    else if (json_is_integer(value))
        text_appendf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        text_appendf(out, "%.6g", json_real_value(value));
    else if (json_is_boolean(value))
        text_append(out, json_is_true(value) ? "yes" : "no");
}

static void fill(struct text *out, const char *path, const char *at, const char *end,
                 const struct scope *scope);

static void
fill_section(struct text *out, const char *path, const struct tag *tag, const struct tag *end,
             const struct scope *scope)
{
    const json_t *value = look_up(scope, tag->name);

    if ((tag->kind == '^') == is_shown(value))
        return;
    if (tag->kind == '#' && json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            fill(out, path, tag->end, end->start, &(struct scope){json_array_get(value, i), scope});
        return;
    }
    bool is_inner = tag->kind == '#' && json_is_object(value);
    fill(out, path, tag->end, end->start,
         &(struct scope){is_inner ? value : scope->value, is_inner ? scope : scope->outer});
}

static void
fill(struct text *out, const char *path, const char *at, const char *end, const struct scope *scope)
{
    struct tag tag;

    while (next_tag(path, at, &tag) && tag.start < end) {
        text_append_bytes(out, at, (size_t)(tag.start - at));
        at = tag.end;
        if (tag.kind == '=') {
            put_value(out, look_up(scope, tag.name));
        } else if (tag.kind == '#' || tag.kind == '^') {
            struct tag closing = section_end(path, &tag);
            fill_section(out, path, &tag, &closing, scope);
            at = closing.end;
        } else if (tag.kind == '>') {
            const struct embedded_file *file = embedded_file(tag.name);
            fill(out, tag.name, file->text, file->text + file->length, scope);
        } else if (tag.kind == '/') {
            template_fault(path, "end without a section", tag.start);
        }
    }
    text_append_bytes(out, at, (size_t)(end - at));
}

void
page_fill_text(struct text *out, const char *name, const char *template_text, const json_t *value)
{
    fill(out, name, template_text, template_text + strlen(template_text),
         &(struct scope){value, NULL});
}

void
page_fill(struct text *out, const char *template_path, const json_t *value)
{
    page_fill_text(out, template_path, embedded_file(template_path)->text, value);
}
