// SPDX-License-Identifier: MIT
#include "cli/security.h"

#include "base/json_text.h"
#include "base/text.h"
#include "plan/plan.h"
#include "security/checklist.h"

#include <stdio.h>

enum { ALL_RIGHT = 0, WARNED = 1, FAILED = 2, NOT_MEASURED = 3 };

/* --- the state against the deck ------------------------------------------------------------ */

/* What apply would change, as rows of the checklist. */
static void
add_plan(const struct plan *plan, const struct deck_server *server, struct security_checklist *list)
{
    size_t before = list->items.count;
    struct security_item item = {.server = server->name, .item = "the deck"};

    for (size_t i = 0; i < plan->changes.changes.count; i++) {
        const struct change *change = &plan->changes.changes.items[i];
        if (change->server != server->name)
            continue;
        item.state = change->is_revocation ? SECURITY_WARN : SECURITY_FAIL;
        item.database = change->database;
        item.finding = arena_printf(list->arena, "not as the deck says: %s", change->what);
        item.evidence = change->why != NULL ? change->why : "";
        item.fix = change->is_revocation ? "-- pgdeck apply --only security --revoke"
                                         : "-- pgdeck apply --only security";
        security_add_item(list, &item);
    }
    for (size_t i = 0; i < plan->changes.manual.count; i++) {
        const struct change_manual *manual = &plan->changes.manual.items[i];
        if (manual->server != server->name)
            continue;
        item.state = SECURITY_FAIL;
        item.database = manual->database;
        item.finding = arena_printf(list->arena, "not as the deck says: %s", manual->what);
        item.evidence = manual->obstacle;
        item.fix = arena_printf(list->arena, "-- %s", manual->remedy);
        security_add_item(list, &item);
    }
    if (list->items.count > before)
        return;
    item.state = SECURITY_OK;
    item.database = NULL;
    item.finding = "roles, rights and passwords are as it says";
    item.evidence = item.fix = NULL;
    security_add_item(list, &item);
}

/* Without the right to plan, the rest can still be looked at. */
static bool
make_plan(struct cli *cli, const struct deck *deck, struct plan *plan, const char **ret_why_not,
          struct error *err)
{
    static const char *const only[] = {"security"};
    const struct plan_filter filter = {.advisors = only, .advisor_count = 1};

    *ret_why_not = NULL;
    if ((deck->advisors & ADVISOR_SECURITY) == 0) {
        *ret_why_not = "the deck leaves the security advisor out";
        return plan_read(cli->arena, deck, plan, err);
    }
    if (plan_make(cli->arena, deck, &filter, plan, err))
        return true;
    if (err->code != ERROR_PRIVILEGE)
        return false;
    *ret_why_not = arena_strdup(cli->arena, err->message);
    error_clear(err);
    return plan_read(cli->arena, deck, plan, err);
}

static bool
look(struct cli *cli, struct plan *plan, struct security_checklist *list, struct error *err)
{
    const struct deck *deck = cli_load_deck(cli, err);
    const char *why_not;

    if (deck == NULL || !make_plan(cli, deck, plan, &why_not, err))
        return false;
    for (size_t i = 0; i < plan->servers.count; i++) {
        const struct plan_server *server = &plan->servers.items[i];
        const struct advice advice = {.arena = cli->arena,
                                      .deck = deck,
                                      .server = server->deck,
                                      .catalog = &server->catalog,
                                      .changes = &plan->changes};
        if (!security_check_server(&advice, list, err)) {
            plan_release(plan);
            return false;
        }
        if (why_not == NULL)
            add_plan(plan, server->deck, list);
        else
            security_add_item(list, &(struct security_item){.state = SECURITY_UNKNOWN,
                                                            .server = server->deck->name,
                                                            .item = "the deck",
                                                            .finding = "not compared with it",
                                                            .evidence = why_not});
    }
    plan_release(plan);
    security_sort(list);
    return true;
}

/* --- output --------------------------------------------------------------------------------- */

static void
print_line(const char *label, const char *value)
{
    AUTO_TEXT line = {0};

    if (value == NULL || *value == '\0')
        return;
    text_append_visible(&line, value);
    printf("         %-9s %s\n", label, text_chars(&line));
}

static void
print_text(const struct cli *cli, const struct security_checklist *list)
{
    const struct cli_style *style = cli_style(cli);
    const char *const colors[] = {[SECURITY_FAIL] = style->red,
                                  [SECURITY_WARN] = style->yellow,
                                  [SECURITY_UNKNOWN] = style->yellow,
                                  [SECURITY_OK] = style->green};

    for (size_t i = 0; i < list->items.count; i++) {
        const struct security_item *item = &list->items.items[i];
        AUTO_TEXT line = {0};
        text_appendf(&line, "%s, ", item->database != NULL ? item->database : item->server);
        text_appendf(&line, "%s: %s", item->item, item->finding);
        AUTO_TEXT visible = {0};
        text_append_visible(&visible, text_chars(&line));
        printf("%s%s%-7s%s  %s\n", style->bold, colors[item->state],
               security_state_name(item->state), style->reset, text_chars(&visible));
        if (item->state == SECURITY_OK)
            continue;
        print_line("evidence", item->evidence);
        print_line("mend", item->fix);
    }
    printf("%s%zu fail, %zu warn, %zu not measurable, %zu ok%s\n", style->dim,
           list->counts[SECURITY_FAIL], list->counts[SECURITY_WARN], list->counts[SECURITY_UNKNOWN],
           list->counts[SECURITY_OK], style->reset);
}

static bool
print_json(const struct security_checklist *list, struct error *err)
{
    json_t *items = json_array();

    for (size_t i = 0; i < list->items.count; i++) {
        const struct security_item *item = &list->items.items[i];
        json_array_append_new(items,
                              json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "state",
                                        security_state_name(item->state), "server", item->server,
                                        "database", json_text(item->database), "item", item->item,
                                        "finding", json_text(item->finding), "evidence",
                                        json_text(item->evidence), "fix", json_text(item->fix)));
    }
    json_t *all = json_pack(
        "{s:o, s:i, s:i, s:i, s:i}", "items", cli_json_whole(items, list->items.count), "fail",
        (int)list->counts[SECURITY_FAIL], "warn", (int)list->counts[SECURITY_WARN], "unknown",
        (int)list->counts[SECURITY_UNKNOWN], "ok", (int)list->counts[SECURITY_OK]);
    return cli_print_json(all, err);
}

static int
exit_status(const struct security_checklist *list)
{
    if (list->counts[SECURITY_FAIL] > 0)
        return FAILED;
    if (list->counts[SECURITY_WARN] > 0)
        return WARNED;
    return list->counts[SECURITY_UNKNOWN] > 0 ? NOT_MEASURED : ALL_RIGHT;
}

int
security_check(struct cli *cli, const struct cli_command *command, int argc, char **argv,
               struct error *err)
{
    struct security_checklist list = {.arena = cli->arena};
    struct cli_list operands = {0};
    struct plan plan;

    if (!cli_parse(cli, command, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    if (!look(cli, &plan, &list, err))
        return cli_failed(err);
    if (!cli->is_json)
        print_text(cli, &list);
    else if (!print_json(&list, err))
        return cli_failed(err);
    return exit_status(&list);
}
