// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include "base/json_text.h"
#include "base/text.h"
#include "explain/explain.h"
#include "plan/plan.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_S = 30, LONGEST_TIMEOUT_S = 86400 };

static void
print_visible(const char *text)
{
    AUTO_TEXT visible = {0};

    text_append_visible(&visible, text);
    fputs(text_chars(&visible), stdout);
}

/* --- the plan as a tree ------------------------------------------------------------------- */

static const char *const conditions[] = {"Index Cond",  "Recheck Cond", "Hash Cond", "Merge Cond",
                                         "Join Filter", "Filter",       NULL};

static void
print_conditions(const json_t *node, int depth)
{
    for (size_t i = 0; conditions[i] != NULL; i++) {
        const char *text = json_string_value(json_object_get(node, conditions[i]));
        if (text == NULL)
            continue;
        printf("%*s%s: ", 2 * depth + 4, "", conditions[i]);
        print_visible(text);
        putchar('\n');
    }
}

static void
print_node(struct arena *arena, const json_t *node, int depth)
{
    const json_t *children = json_object_get(node, "Plans");
    const json_t *rows = json_object_get(node, "Actual Rows");

    printf("%*s", 2 * depth, "");
    print_visible(explain_node_title(arena, node));
    printf("  rows %.0f, cost %.2f", json_number_value(json_object_get(node, "Plan Rows")),
           json_number_value(json_object_get(node, "Total Cost")));
    if (rows != NULL)
        printf("; in truth rows %.0f, %.3f ms, loops %.0f", json_number_value(rows),
               json_number_value(json_object_get(node, "Actual Total Time")),
               json_number_value(json_object_get(node, "Actual Loops")));
    putchar('\n');
    print_conditions(node, depth);
    for (size_t i = 0; i < json_array_size(children); i++)
        print_node(arena, json_array_get(children, i), depth + 1);
}

static void
print_text(const struct cli *cli, const struct explain_plan *plan)
{
    const struct cli_style *style = cli_style(cli);

    print_node(cli->arena, json_object_get(plan->root, "Plan"), 0);
    if (plan->has_parameters)
        printf("%sThe plan for any values: $1, $2 ... are not known.%s\n", style->dim,
               style->reset);
    printf("\n%s\n",
           plan->faults.count == 0 ? "Nothing is wrong that the plan would show." : "Wrong:");
    for (size_t i = 0; i < plan->faults.count; i++) {
        const struct explain_fault *fault = &plan->faults.items[i];
        printf("- %s", style->yellow);
        print_visible(fault->node);
        printf("%s: ", style->reset);
        print_visible(fault->what);
        putchar('\n');
        printf("  mend: ");
        print_visible(fault->fix);
        putchar('\n');
    }
}

static bool
print_json(const struct explain_plan *plan, struct error *err)
{
    json_t *faults = json_array();

    for (size_t i = 0; i < plan->faults.count; i++) {
        const struct explain_fault *fault = &plan->faults.items[i];
        json_array_append_new(faults,
                              json_pack("{s:o, s:o, s:o}", "node", json_text(fault->node), "what",
                                        json_text(fault->what), "fix", json_text(fault->fix)));
    }
    return cli_print_json(json_pack("{s:o, s:b, s:o, s:O}", "query", json_text(plan->query),
                                    "is_generic", plan->has_parameters, "wrong",
                                    cli_json_whole(faults, plan->faults.count), "plan", plan->root),
                          err);
}

/* --- options ------------------------------------------------------------------------------ */

static bool
choose_database(const struct deck *deck, const char *name, struct pg_target *target,
                struct error *err)
{
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        if (name != NULL ? strcmp(database->name, name) != 0 : deck->databases.count > 1)
            continue;
        *target = plan_target(database->environment->server, database->name);
        target->is_application = true; /* names are found as the application finds them */
        return true;
    }
    if (name != NULL)
        return error_set(err, ERROR_USAGE, "the deck has no database \"%s\"", name);
    return error_set(err, ERROR_USAGE, "the deck has %zu databases: say --database NAME",
                     deck->databases.count);
}

static bool
is_query_id(const char *text)
{
    size_t sign = *text == '-';

    return text[sign] != '\0' && strspn(text + sign, "0123456789") == strlen(text + sign);
}

int
cmd_explain(struct cli *cli, const struct cli_command *command, int argc, char **argv,
            struct error *err)
{
    const char *database = NULL;
    bool is_measured = false;
    long timeout_s = DEFAULT_TIMEOUT_S;
    struct cli_list operands = {0};
    struct explain_options options = {0};
    struct explain_plan plan;
    const struct cli_option table[] = {
        {"database", 0, CLI_TEXT, "NAME", "where; needless in a deck of one database", &database},
        {"analyze", 0, CLI_FLAG, NULL, "run it, in a read-only transaction; SELECT only",
         &is_measured},
        {"timeout", 0, CLI_NUMBER, "SECONDS", "of the query; default 30", &timeout_s},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    if (operands.values.count != 1 || timeout_s < 1 || timeout_s > LONGEST_TIMEOUT_S) {
        error_set(err, ERROR_USAGE, "explain wants one query, or the id of one");
        return cli_failed(err);
    }
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL || !choose_database(deck, database, &options.target, err))
        return cli_failed(err);
    const char *operand = operands.values.items[0];
    options.query = is_query_id(operand) ? NULL : operand;
    options.query_id = is_query_id(operand) ? operand : NULL;
    options.is_measured = is_measured;
    options.timeout_ms = (int)timeout_s * 1000;
    if (!explain_look(cli->arena, &options, &plan, err))
        return cli_failed(err);
    bool is_fine = true;
    if (cli->is_json)
        is_fine = print_json(&plan, err);
    else
        print_text(cli, &plan);
    json_decref(plan.root);
    return is_fine ? 0 : cli_failed(err);
}
