// SPDX-License-Identifier: MIT
/* pgdeck security tenants: what row-level security costs. */
#include "cli/security.h"

#include "base/json_text.h"
#include "plan/plan.h"
#include "security/tenant_cost.h"

#include <math.h>
#include <stdio.h>

enum { ALL_RIGHT = 0, WARNED = 1 };

static bool
measure(struct cli *cli, const struct deck *deck, struct tenant_costs *costs, struct error *err)
{
    struct plan plan;
    bool is_fine = true;

    if (!plan_read(cli->arena, deck, &plan, err))
        return false;
    for (size_t i = 0; is_fine && i < plan.servers.count; i++) {
        const struct plan_server *server = &plan.servers.items[i];
        const struct advice advice = {.arena = cli->arena,
                                      .deck = deck,
                                      .server = server->deck,
                                      .catalog = &server->catalog,
                                      .changes = &plan.changes};
        is_fine = security_tenant_costs(&advice, costs, err);
    }
    plan_release(&plan);
    return is_fine;
}

/* "-": not known. */
static void
print_ratio(double with, double without)
{
    if (with > 0 && without > 0)
        printf("%6.2fx ", with / without);
    else
        printf("%7s ", "-");
}

/* One line: the demo shows it. */
static void
print_sum(size_t measured, double sum, size_t cpu_measured, double cpu_sum, size_t whole)
{
    if (measured == 0) {
        printf("No policy was measured.\n");
        return;
    }
    printf("%zu policies: %.2f times the time without", measured, exp(sum / (double)measured));
    if (cpu_measured > 0)
        printf(" and %.2f times the server's CPU time", exp(cpu_sum / (double)cpu_measured));
    printf(", in the geometric mean; %zu keep an index from being used.\n", whole);
}

static void
print_text(const struct tenant_costs *costs)
{
    size_t measured = 0, cpu_measured = 0, whole = 0;
    double sum = 0, cpu_sum = 0;

    printf("%-22s %-22s %9s %11s %11s %7s %7s %7s  %s\n", "database", "table", "rows", "policy",
           "without", "time", "CPU", "pages", "reads");
    for (size_t i = 0; i < costs->list.count; i++) {
        const struct tenant_cost *cost = &costs->list.items[i];
        printf("%-22s %-22s ", cost->database, cost->table);
        if (cost->why_not != NULL) {
            printf("not measured: %s\n", cost->why_not);
            continue;
        }
        printf("%9.0f %8.3f ms %8.3f ms %6.2fx ", cost->rows, cost->guarded_ms, cost->bare_ms,
               cost->guarded_ms / cost->bare_ms);
        print_ratio(cost->guarded_cpu_ms, cost->bare_cpu_ms);
        print_ratio(cost->guarded_pages, cost->bare_pages);
        printf(" %s\n", cost->is_read_whole   ? "all rows, because of the policy"
                        : cost->index == NULL ? "all rows, also without"
                                              : cost->index);
        measured++;
        if (cost->guarded_cpu_ms > 0 && cost->bare_cpu_ms > 0) {
            cpu_measured++;
            cpu_sum += log(cost->guarded_cpu_ms / cost->bare_cpu_ms);
        }
        whole += cost->is_read_whole;
        sum += log(cost->guarded_ms / cost->bare_ms);
    }
    for (size_t i = 0; i < costs->list.count; i++) {
        const struct tenant_cost *cost = &costs->list.items[i];
        if (cost->useless != NULL)
            printf("%s, %s: no query of a tenant can use %s: not leakproof\n", cost->database,
                   cost->table, cost->useless);
    }
    print_sum(measured, sum, cpu_measured, cpu_sum, whole);
}

static bool
print_json(const struct tenant_costs *costs, struct error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < costs->list.count; i++) {
        const struct tenant_cost *cost = &costs->list.items[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:b, s:o}",
                      "database", json_text(cost->database), "schema", json_text(cost->schema),
                      "table", json_text(cost->table), "why_not", json_text(cost->why_not), "rows",
                      cost->rows, "policy_ms", cost->guarded_ms, "without_ms", cost->bare_ms,
                      "policy_cpu_ms", cost->guarded_cpu_ms, "without_cpu_ms", cost->bare_cpu_ms,
                      "policy_pages", cost->guarded_pages, "without_pages", cost->bare_pages,
                      "index", json_text(cost->index), "is_read_whole", cost->is_read_whole,
                      "unusable_indexes", json_text(cost->useless)));
    }
    list = cli_json_whole(list, costs->list.count);
    return cli_print_json(json_pack("{s:o}", "tables", list), err);
}

int
security_tenants(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                 struct error *err)
{
    struct cli_list operands = {0};
    struct tenant_costs costs = {0};

    if (!cli_parse(cli, command, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL)
        return cli_failed(err);
    if (deck->tenants.column == NULL) {
        error_set(err, ERROR_USAGE, "the deck has no tenants");
        return cli_failed(err);
    }
    if (!measure(cli, deck, &costs, err))
        return cli_failed(err);
    if (!cli->is_json)
        print_text(&costs);
    else if (!print_json(&costs, err))
        return cli_failed(err);
    for (size_t i = 0; i < costs.list.count; i++) {
        if (costs.list.items[i].is_read_whole)
            return WARNED;
    }
    return ALL_RIGHT;
}
