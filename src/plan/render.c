// SPDX-License-Identifier: MIT
#include "plan/render.h"

#include <stdlib.h>
#include <string.h>

/* What and why stand on one line up to this many bytes. */
enum { SHORT = 110 };

/* The changes of one advisor in one database. */
struct block {
    const char *server, *database, *advisor;
    LIST_OF(const struct change *) changes;
    bool is_shown;
};

struct blocks {
    struct arena *arena;
    LIST_OF(struct block) list;
};

static bool
is_same(const char *left, const char *right)
{
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static struct block *
find_block(struct blocks *blocks, const struct change *change)
{
    for (size_t i = 0; i < blocks->list.count; i++) {
        struct block *block = &blocks->list.items[i];
        if (is_same(block->server, change->server) && is_same(block->database, change->database) &&
            is_same(block->advisor, change->advisor))
            return block;
    }
    struct block *block = LIST_ADD(blocks->arena, &blocks->list);
    block->server = change->server;
    block->database = change->database;
    block->advisor = change->advisor;
    return block;
}

/* With their SQL shown, changes are the same only when that is. */
static bool
says_the_same(const struct block *left, const struct block *right, bool with_sql)
{
    if (left->changes.count != right->changes.count || left->database == NULL ||
        right->database == NULL || !is_same(left->server, right->server) ||
        !is_same(left->advisor, right->advisor))
        return false;
    for (size_t i = 0; i < left->changes.count; i++) {
        const struct change *one = left->changes.items[i];
        const struct change *other = right->changes.items[i];
        if (one->action != other->action || !is_same(one->what, other->what) ||
            !is_same(one->why, other->why) || !is_same(one->warning, other->warning) ||
            !is_same(one->lock, other->lock) ||
            (with_sql && (!is_same(one->sql, other->sql) || !is_same(one->undo, other->undo))))
            return false;
    }
    return true;
}

/* Statement text, indented; every line, so that nothing in a name looks like pgdeck's own. */
static void
render_script(struct text *text, const struct render_style *style, const char *label,
              const char *script)
{
    text_appendf(text, "      %s%s:", style->dim, label);
    for (const char *line = script; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        text_append(text, line == script ? " " : "          ");
        char *copy = strndup(line, length);
        text_append_visible(text, copy == NULL ? "" : copy);
        free(copy);
        text_append(text, "\n");
        line += length + (line[length] == '\n');
    }
    text_append(text, style->reset);
}

/* After what, up to the end of the line. */
static void
render_why(struct text *text, const struct render_style *style, const char *what, const char *why)
{
    if (why != NULL && why[0] != '\0') {
        bool is_short = strlen(what) + strlen(why) <= SHORT;
        text_appendf(text, "%s%s", is_short ? "  " : "\n      ", style->dim);
        text_append_visible(text, why);
        text_append(text, style->reset);
    }
    text_append(text, "\n");
}

static void
render_remark(struct text *text, const struct render_style *style, const char *label,
              const char *remark)
{
    if (remark == NULL)
        return;
    text_appendf(text, "      %s%s%s ", style->yellow, label, style->reset);
    text_append_visible(text, remark);
    text_append(text, "\n");
}

static void
render_change(struct text *text, const struct change *change, const struct render_style *style,
              bool with_why, bool with_sql)
{
    const char *colors[] = {
        [CHANGE_CREATE] = style->green,
        [CHANGE_ALTER] = style->yellow,
        [CHANGE_DROP] = style->red,
        [CHANGE_RUN] = style->yellow,
    };

    text_appendf(text, "    %s%s%s ", colors[change->action], change_action_sign(change->action),
                 style->reset);
    text_append_visible(text, change->what);
    if (change->needs_restart && change->phase != CHANGE_RESTART)
        text_appendf(text, " %s(after a restart)%s", style->yellow, style->reset);
    render_why(text, style, change->what, with_why ? change->why : NULL);
    render_remark(text, style, "warning:", change->warning);
    render_remark(text, style, "changed by hand:", change->drift);
    if (change->is_destructive)
        text_appendf(text, "      %sneeds --drop%s\n", style->red, style->reset);
    if (change->is_revocation)
        text_appendf(text, "      %sneeds --revoke%s\n", style->red, style->reset);
    if (!with_sql)
        return;
    if (change->lock != NULL)
        text_appendf(text, "      %slock: %s%s\n", style->dim, change->lock, style->reset);
    if (change->sql != NULL)
        render_script(text, style, "sql", change->sql);
    if (change->file != NULL)
        render_script(text, style, "file", change->file);
    if (change->procedure != NULL)
        text_appendf(text, "      %sprocedure: %s%s\n", style->dim, change->procedure->name,
                     style->reset);
    render_script(text, style, "undo", change->undo == NULL ? "none" : change->undo);
}

static void
render_heading(struct text *text, struct blocks *blocks, size_t at,
               const struct render_style *style, bool with_sql)
{
    struct block *block = &blocks->list.items[at];
    size_t same = 0;

    text_appendf(text, "\n  %s%s%s: ", style->bold, block->advisor, style->reset);
    if (block->database == NULL) {
        text_append(text, "server-wide\n");
        return;
    }
    for (size_t i = at; i < blocks->list.count; i++) {
        struct block *other = &blocks->list.items[i];
        if (other->is_shown || (i != at && !says_the_same(block, other, with_sql)))
            continue;
        text_append(text, same == 0 ? "" : ", ");
        text_append_visible(text, other->database);
        other->is_shown = true;
        same++;
    }
    text_appendf(text, "%s\n", same > 1 ? " (each)" : "");
}

/* One reason for all the changes of a block stands above them, once. */
static bool
has_one_reason(const struct block *block)
{
    for (size_t i = 1; i < block->changes.count; i++) {
        if (!is_same(block->changes.items[i]->why, block->changes.items[0]->why))
            return false;
    }
    return block->changes.count > 1 && block->changes.items[0]->why != NULL;
}

static void
render_block(struct text *text, const struct block *block, const struct render_style *style,
             bool with_sql)
{
    bool is_one = has_one_reason(block);

    if (is_one) {
        text_appendf(text, "    %s", style->dim);
        text_append_visible(text, block->changes.items[0]->why);
        text_appendf(text, "%s\n", style->reset);
    }
    for (size_t i = 0; i < block->changes.count; i++)
        render_change(text, block->changes.items[i], style, !is_one, with_sql);
}

static void
render_server(struct text *text, const struct plan_server *server, const struct render_style *style)
{
    text_appendf(text, "%sserver %s%s  PostgreSQL %d.%d, system identifier %s\n", style->bold,
                 server->deck->name, style->reset, server->catalog.major,
                 server->catalog.version % 10000, server->catalog.system_identifier);
}

static void
render_notes(struct text *text, const struct plan *plan, const char *server,
             const struct render_style *style)
{
    const struct change_note *notes = plan->changes.notes.items;
    size_t shown = 0;

    for (size_t i = 0; i < plan->changes.notes.count; i++) {
        bool is_repeated = false;
        size_t databases = 1;
        if (!is_same(notes[i].server, server))
            continue;
        for (size_t j = 0; j < plan->changes.notes.count; j++) {
            if (j == i || !is_same(notes[j].text, notes[i].text) ||
                !is_same(notes[j].server, server))
                continue;
            is_repeated = is_repeated || j < i;
            databases++;
        }
        if (is_repeated)
            continue;
        text_appendf(text, "%s  %snote%s (%s", shown++ == 0 ? "\n" : "", style->yellow,
                     style->reset, notes[i].advisor);
        if (databases > 1)
            text_appendf(text, ", %zu databases", databases);
        else if (notes[i].database != NULL)
            text_appendf(text, ", %s", notes[i].database);
        text_append(text, "): ");
        text_append_visible(text, notes[i].text);
        text_append(text, "\n");
    }
}

/* --- what somebody else has to do --------------------------------------------------------- */

static void
render_manual(struct text *text, const struct change_manual *manual,
              const struct render_style *style)
{
    text_appendf(text, "    %s!%s ", style->yellow, style->reset);
    if (manual->database != NULL) {
        text_append_visible(text, manual->database);
        text_append(text, ": ");
    }
    text_append_visible(text, manual->what);
    if (manual->needs_restart)
        text_appendf(text, " %s(after a restart)%s", style->yellow, style->reset);
    render_why(text, style, manual->what, manual->why);
    render_remark(text, style, "changed by hand:", manual->drift);
    render_remark(text, style, "there:", manual->form);
}

static bool
is_manual_of(const struct change_manual *manual, const struct change_manual *first)
{
    return is_same(manual->server, first->server) && is_same(manual->advisor, first->advisor) &&
           is_same(manual->obstacle, first->obstacle) && is_same(manual->remedy, first->remedy);
}

/* Those with one obstacle and one remedy together, under both. */
static void
render_manuals(struct text *text, const struct plan *plan, const char *server,
               const struct render_style *style)
{
    const struct change_manual *all = plan->changes.manual.items;

    for (size_t i = 0; i < plan->changes.manual.count; i++) {
        bool is_shown = !is_same(all[i].server, server);
        for (size_t j = 0; j < i && !is_shown; j++)
            is_shown = is_manual_of(&all[j], &all[i]);
        if (is_shown)
            continue;
        text_appendf(text, "\n  %s%s%s: left to you\n    ", style->bold, all[i].advisor,
                     style->reset);
        text_append_visible(text, all[i].obstacle);
        text_append(text, ": ");
        text_append_visible(text, all[i].remedy);
        text_append(text, "\n");
        for (size_t j = i; j < plan->changes.manual.count; j++) {
            if (is_manual_of(&all[j], &all[i]))
                render_manual(text, &all[j], style);
        }
    }
}

static size_t
count_drifts(const struct plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->changes.changes.count; i++)
        count += plan->changes.changes.items[i].drift != NULL;
    return count;
}

static void
render_summary(struct text *text, const struct plan *plan, const struct render_style *style)
{
    struct plan_summary summary = plan_summarize(plan);

    size_t manual = plan->changes.manual.count;

    if (plan->changes.changes.count == 0 && manual == 0) {
        text_appendf(text, "\n%sNothing to do%s%s\n", style->green, style->reset,
                     plan->changes.notes.count == 0 ? ": the servers are as the deck says."
                                                    : ", but see the notes.");
        return;
    }
    if (plan->changes.changes.count == 0) {
        text_appendf(text,
                     "\n%sNothing that pgdeck can do%s, but the servers are not as the deck says: "
                     "%zu left to you.\n",
                     style->yellow, style->reset, manual);
        return;
    }
    text_appendf(text, "\n%sPlan:%s %zu to create, %zu to change, %zu to drop, %zu to run.\n",
                 style->bold, style->reset, summary.create, summary.alter, summary.drop,
                 summary.run);
    if (summary.restart > 0)
        text_appendf(text, "%sA restart is needed%s for some settings: apply --restart does it.\n",
                     style->yellow, style->reset);
    if (count_drifts(plan) > 0)
        text_appendf(text, "%s%zu of them%s put right what was changed by hand.\n", style->yellow,
                     count_drifts(plan), style->reset);
    if (manual > 0)
        text_appendf(text, "%s%zu left to you%s: apply does not do them.\n", style->yellow, manual,
                     style->reset);
    if (summary.destructive > 0)
        text_appendf(text, "%s%zu of them remove something%s: apply --drop does them.\n",
                     style->red, summary.destructive, style->reset);
    if (summary.revocation > 0)
        text_appendf(text, "%s%zu of them take rights away%s: apply --revoke does them.\n",
                     style->red, summary.revocation, style->reset);
}

void
plan_render(const struct plan *plan, const struct render_style *style, bool with_sql,
            struct text *text)
{
    struct blocks blocks = {.arena = plan->arena};

    for (size_t i = 0; i < plan->changes.changes.count; i++) {
        const struct change *change = &plan->changes.changes.items[i];
        struct block *block = find_block(&blocks, change);
        *LIST_ADD(plan->arena, &block->changes) = change;
    }
    for (size_t i = 0; i < plan->servers.count; i++) {
        const char *server = plan->servers.items[i].deck->name;
        render_server(text, &plan->servers.items[i], style);
        for (size_t j = 0; j < blocks.list.count; j++) {
            struct block *block = &blocks.list.items[j];
            if (block->is_shown || !is_same(block->server, server))
                continue;
            render_heading(text, &blocks, j, style, with_sql);
            block->is_shown = true;
            render_block(text, block, style, with_sql);
        }
        render_manuals(text, plan, server, style);
        render_notes(text, plan, server, style);
    }
    render_summary(text, plan, style);
}
