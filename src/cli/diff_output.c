// SPDX-License-Identifier: MIT
#include "cli/diff_output.h"

#include "base/json_text.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* --- for people --------------------------------------------------------------------------- */

static bool
is_same(const char *left, const char *right)
{
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static bool
says_the_same(const struct diff_item *one, const struct diff_item *other)
{
    return is_same(one->kind, other->kind) && is_same(one->name, other->name) &&
           is_same(one->left, other->left) && is_same(one->right, other->right);
}

static void
add_side(struct text *text, const struct cli_style *style, const char *environment,
         const char *value, const char *why)
{
    text_append(text, "    ");
    text_append_visible(text, environment);
    text_append(text, ": ");
    text_append(text, value == NULL ? "none" : value[0] == '\0' ? "(empty)" : "");
    text_append_visible(text, value == NULL ? "" : value);
    if (why[0] != '\0') {
        text_appendf(text, "  %s", style->dim);
        text_append_visible(text, why);
        text_append(text, style->reset);
    }
    text_append(text, "\n");
}

/* Which databases say so; all of one kind and name are shown once. */
static void
add_databases(struct text *text, const struct diff *diff, size_t at)
{
    const struct diff_item *item = &diff->items.items[at];
    size_t count = 0;

    for (size_t i = at; i < diff->items.count; i++)
        count += says_the_same(item, &diff->items.items[i]);
    if (item->pair == NULL)
        return;
    if (count > 1) {
        text_appendf(text, " (%zu pairs of databases)", count);
        return;
    }
    text_append(text, " (");
    text_append_visible(text, item->pair->left == NULL ? "none" : item->pair->left->name);
    text_append(text, " - ");
    text_append_visible(text, item->pair->right == NULL ? "none" : item->pair->right->name);
    text_append(text, ")");
}

static void
add_item(struct text *text, const struct cli *cli, const struct diff *diff, size_t at)
{
    const struct cli_style *style = cli_style(cli);
    const struct diff_item *item = &diff->items.items[at];
    const char *color = item->left == NULL    ? style->green
                        : item->right == NULL ? style->red
                                              : style->yellow;

    text_appendf(text, "  %s", color);
    text_append_visible(text, item->name);
    text_append(text, style->reset);
    add_databases(text, diff, at);
    text_append(text, "\n");
    add_side(text, style, diff->left.environment->name, item->left, item->left_why);
    add_side(text, style, diff->right.environment->name, item->right, item->right_why);
}

/* Whether an item before this one has the same kind, or says the same. */
static bool
is_repeated(const struct diff *diff, size_t at, bool as_a_whole)
{
    const struct diff_item *item = &diff->items.items[at];

    for (size_t i = 0; i < at; i++) {
        const struct diff_item *before = &diff->items.items[i];
        if (as_a_whole ? says_the_same(before, item) : strcmp(before->kind, item->kind) == 0)
            return true;
    }
    return false;
}

static void
add_heading(struct text *text, const struct cli *cli, const struct diff *diff)
{
    const struct cli_style *style = cli_style(cli);
    const struct diff_side *sides[] = {&diff->left, &diff->right};

    for (size_t i = 0; i < 2; i++) {
        const struct catalog_server *catalog = sides[i]->advice.catalog;
        text_appendf(text, "%s%s%s  server %s, PostgreSQL %d.%d\n", style->bold,
                     sides[i]->environment->name, style->reset, catalog->name, catalog->major,
                     catalog->version % 10000);
    }
    if (diff_is_one_server(diff))
        text_append(text, "Both are on one server: its settings hold for both.\n");
}

void
diff_print(const struct cli *cli, const struct diff *diff)
{
    const struct cli_style *style = cli_style(cli);
    AUTO_TEXT text = {0};
    size_t shown = 0;

    add_heading(&text, cli, diff);
    for (size_t i = 0; i < diff->items.count; i++) {
        const char *kind = diff->items.items[i].kind;
        if (is_repeated(diff, i, false))
            continue;
        text_appendf(&text, "\n%s%s%s\n", style->bold, kind, style->reset);
        for (size_t j = i; j < diff->items.count; j++) {
            if (strcmp(diff->items.items[j].kind, kind) != 0 || is_repeated(diff, j, true))
                continue;
            add_item(&text, cli, diff, j);
            shown++;
        }
    }
    if (shown == 0)
        text_appendf(&text, "\n%sNo difference%s\n", style->green, style->reset);
    else
        text_appendf(&text, "\n%s%zu difference%s%s\n", style->bold, shown, shown == 1 ? "" : "s",
                     style->reset);
    fputs(text_chars(&text), stdout);
}

/* --- for machines ------------------------------------------------------------------------- */

static json_t *
database_json(const struct deck_database *database)
{
    return json_text(database == NULL ? NULL : database->name);
}

static json_t *
side_json(const struct diff_side *side)
{
    return json_pack("{s:s, s:s, s:i}", "environment", side->environment->name, "server",
                     side->advice.server->name, "version", side->advice.catalog->version);
}

static json_t *
item_json(const struct diff_item *item)
{
    json_t *left = item->pair == NULL ? json_null() : database_json(item->pair->left);
    json_t *right = item->pair == NULL ? json_null() : database_json(item->pair->right);

    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "kind", item->kind, "name",
                     item->name, "left_database", left, "right_database", right, "left",
                     json_text(item->left), "right", json_text(item->right), "left_why",
                     item->left_why, "right_why", item->right_why);
}

void
diff_print_json(const struct diff *diff)
{
    json_t *pairs = json_array();
    json_t *items = json_array();

    for (size_t i = 0; i < diff->pairs.count; i++)
        json_array_append_new(pairs, json_pack("[o, o]", database_json(diff->pairs.items[i].left),
                                               database_json(diff->pairs.items[i].right)));
    for (size_t i = 0; i < diff->items.count; i++)
        json_array_append_new(items, item_json(&diff->items.items[i]));
    json_t *document = json_pack("{s:o, s:o, s:o, s:o}", "left", side_json(&diff->left), "right",
                                 side_json(&diff->right), "databases", pairs, "differences", items);
    json_dumpf(document, stdout, JSON_INDENT(2));
    puts("");
    json_decref(document);
}
