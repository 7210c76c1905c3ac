// SPDX-License-Identifier: MIT
#include "cli/bench_history.h"

#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH = 30 };

static const char *
visible(struct cli *cli, const char *text)
{
    AUTO_TEXT shown = {0};

    text_append_visible(&shown, text == NULL ? "" : text);
    return arena_strdup(cli->arena, text_chars(&shown));
}

/* --- list ----------------------------------------------------------------------------------- */

static json_t *
record_data(const struct bench_record *record)
{
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:i, s:s?}", "folder", record->folder,
                     "started", record->started, "database", record->database, "times_faster",
                     record->times, "low", record->low, "high", record->high, "works",
                     (int)record->figures.count, "stopped", record->stopped);
}

static void
print_json(json_t *data)
{
    char *text = json_dumps(data, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

    puts(text == NULL ? "{}" : text);
    free(text);
    json_decref(data);
}

bool
cli_bench_list(struct cli *cli, const char *folder)
{
    struct bench_records records;
    json_t *data = json_array();

    bench_records_find(cli->arena, folder, &records);
    if (!cli->is_json && records.list.count == 0)
        printf("no runs below \"%s\"\n", visible(cli, folder));
    else if (!cli->is_json)
        printf("%-23s  %-28s  %7s  %5s  %s\n", "STARTED", "DATABASE", "FASTER", "WORKS", "FOLDER");
    for (size_t i = 0; i < records.list.count; i++) {
        const struct bench_record *record = &records.list.items[i];
        json_array_append_new(data, record_data(record));
        if (cli->is_json)
            continue;
        char times[32] = "-";
        if (record->times > 0)
            snprintf(times, sizeof(times), "%.3gx", record->times);
        printf("%-23s  %-28s  %7s  %5zu  %s%s\n", visible(cli, record->started),
               visible(cli, record->database), times, record->figures.count,
               visible(cli, record->folder), record->stopped == NULL ? "" : "  (stopped early)");
    }
    if (cli->is_json)
        print_json(data);
    else
        json_decref(data);
    return true;
}

/* --- the gate ------------------------------------------------------------------------------- */

bool
cli_bench_check_gates(struct cli *cli, const struct cli_list *gates, struct error *err)
{
    struct bench_gate gate;

    for (size_t i = 0; i < gates->values.count; i++) {
        if (!bench_gate_read(cli->arena, gates->values.items[i], &gate, err))
            return false;
    }
    return true;
}

static void
print_change(struct cli *cli, const struct bench_gate *gate, const struct bench_change *change)
{
    const char *unit = gate->metric[0] == 'p' ? " ms" : "/s";

    if (change->is_missing) {
        printf("  %-*s  was %.4g%s, is missing\n", NAME_WIDTH, visible(cli, change->work),
               change->before, unit);
        return;
    }
    printf("  %-*s  %.4g%s to %.4g%s: %.1f %% worse", NAME_WIDTH, visible(cli, change->work),
           change->before, unit, change->after, unit, change->share * 100);
    if (change->is_failing)
        printf("; %.3g %% failed or had no answer", change->failed * 100);
    putchar('\n');
}

static void
print_differences(struct cli *cli, const struct bench_record *older,
                  const struct bench_record *newer)
{
    struct bench_differences found = bench_record_differences(cli->arena, older, newer);

    for (size_t i = 0; i < found.list.count; i++)
        printf("%s%s", i == 0 ? "not made alike: " : "; ", visible(cli, found.list.items[i]));
    if (found.list.count > 0)
        putchar('\n');
}

/* AI tasks that the deck's server lost or did twice are over any gate. */
static bool
has_kept_tasks(const struct cli *cli, const struct bench_record *newer)
{
    bool is_fine = newer->lost + newer->doubled == 0;

    if (!is_fine && !cli->is_json)
        printf("AI tasks: %.0f lost, %.0f done twice, of which no gate allows any\n", newer->lost,
               newer->doubled);
    return is_fine;
}

static bool
apply_gates(struct cli *cli, const struct bench_record *older, const struct bench_record *newer,
            const struct cli_list *gates, struct error *err)
{
    size_t over = gates->values.count > 0 && !has_kept_tasks(cli, newer) ? 1 : 0;

    for (size_t i = 0; i < gates->values.count; i++) {
        struct bench_gate gate;
        struct bench_changes changes;
        if (!bench_gate_read(cli->arena, gates->values.items[i], &gate, err))
            return false;
        bench_gate_apply(cli->arena, &gate, older, newer, &changes);
        over += changes.over;
        if (cli->is_json)
            continue;
        printf("gate %s: %zu of %zu over it\n", gate.text, changes.over, changes.list.count);
        for (size_t j = 0; j < changes.list.count; j++) {
            if (changes.list.items[j].is_over)
                print_change(cli, &gate, &changes.list.items[j]);
        }
    }
    if (over == 0)
        return true;
    error_set(err, ERROR_GATE, "%zu figures are worse than the gate allows", over);
    return error_detail(err, "Compared with \"%s\" of %s.", older->folder, older->started);
}

bool
cli_bench_gate(struct cli *cli, const struct bench_record *older, const struct bench_record *newer,
               const struct cli_list *gates, struct error *err)
{
    if (!cli->is_json)
        print_differences(cli, older, newer);
    return apply_gates(cli, older, newer, gates, err);
}

/* --- compare -------------------------------------------------------------------------------- */

static const struct bench_change *
find_change(const struct bench_changes *changes, const char *work)
{
    for (size_t i = 0; i < changes->list.count; i++) {
        if (strcmp(changes->list.items[i].work, work) == 0)
            return &changes->list.items[i];
    }
    return NULL;
}

static void
print_pair(const struct bench_change *change)
{
    if (change == NULL)
        printf("  %9s  %9s  %8s", "-", "-", "");
    else if (change->is_missing)
        printf("  %9.4g  %9s  %8s", change->before, "-", "");
    else
        printf("  %9.4g  %9.4g  %+7.1f%%", change->before, change->after, change->share * 100);
}

struct comparison {
    struct bench_changes changes[2]; /* of p50, of p95 */
};

static bool
compare(struct cli *cli, const struct bench_record *older, const struct bench_record *newer,
        struct comparison *ret_comparison, struct error *err)
{
    static const char *const texts[] = {"p50:+1%", "p95:+1%"};

    for (size_t i = 0; i < 2; i++) {
        struct bench_gate gate;
        if (!bench_gate_read(cli->arena, texts[i], &gate, err))
            return false;
        bench_gate_apply(cli->arena, &gate, older, newer, &ret_comparison->changes[i]);
    }
    return true;
}

static void
print_comparison(struct cli *cli, const struct bench_record *older,
                 const struct bench_record *newer, const struct comparison *comparison)
{
    printf("A  %s  %s\nB  %s  %s\n\n", visible(cli, older->started), visible(cli, older->folder),
           visible(cli, newer->started), visible(cli, newer->folder));
    printf("%-*s  %9s  %9s  %8s  %9s  %9s  %8s\n", NAME_WIDTH, "ms", "p50 A", "p50 B", "", "p95 A",
           "p95 B", "");
    for (size_t i = 0; i < older->figures.count; i++) {
        const char *work = older->figures.items[i].work;
        printf("%-*s", NAME_WIDTH, visible(cli, work));
        print_pair(find_change(&comparison->changes[0], work));
        print_pair(find_change(&comparison->changes[1], work));
        putchar('\n');
    }
    for (size_t i = 0; i < newer->figures.count; i++) {
        const struct bench_figures *figures = &newer->figures.items[i];
        if (bench_record_find(older, figures->work) == NULL)
            printf("%-*s  %9s  %9.4g  %8s  %9s  %9.4g  only in B\n", NAME_WIDTH,
                   visible(cli, figures->work), "-", figures->p50_ms, "", "-", figures->p95_ms);
    }
    printf("\nTwo runs at two times: what else the machine did is in the difference. For a verdict "
           "compare\nthe two servers in one run (--before).\n");
    print_differences(cli, older, newer);
}

/* null: that run does not know it. */
static json_t *
figure_data(const struct bench_figures *figures, const char *key)
{
    double value = 0;

    if (figures != NULL)
        value = strcmp(key, "p50") == 0 ? figures->p50_ms : figures->p95_ms;
    return value > 0 ? json_real(value) : json_null();
}

static json_t *
work_data(const struct bench_record *older, const struct bench_record *newer, const char *work,
          const struct comparison *comparison)
{
    static const char *const keys[] = {"p50", "p95"};
    json_t *data = json_pack("{s:s}", "work", work);

    for (size_t i = 0; i < 2; i++) {
        const struct bench_change *change = find_change(&comparison->changes[i], work);
        bool is_known = change != NULL && !change->is_missing;
        json_object_set_new(data, keys[i],
                            json_pack("{s:o, s:o, s:o}", "a_ms",
                                      figure_data(bench_record_find(older, work), keys[i]), "b_ms",
                                      figure_data(bench_record_find(newer, work), keys[i]),
                                      "change", is_known ? json_real(change->share) : json_null()));
    }
    return data;
}

/* The works of A, then those that only B has. */
static json_t *
comparison_data(struct cli *cli, const struct bench_record *older, const struct bench_record *newer,
                const struct comparison *comparison)
{
    struct bench_differences found = bench_record_differences(cli->arena, older, newer);
    json_t *differences = json_array();
    json_t *works = json_array();

    for (size_t i = 0; i < found.list.count; i++)
        json_array_append_new(differences, json_string(found.list.items[i]));

    for (size_t i = 0; i < older->figures.count; i++)
        json_array_append_new(works,
                              work_data(older, newer, older->figures.items[i].work, comparison));
    for (size_t i = 0; i < newer->figures.count; i++) {
        const char *work = newer->figures.items[i].work;
        if (bench_record_find(older, work) == NULL)
            json_array_append_new(works, work_data(older, newer, work, comparison));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "a", record_data(older), "b", record_data(newer),
                     "not_made_alike", differences, "works", works);
}

bool
cli_bench_compare(struct cli *cli, const char *older, const char *newer,
                  const struct cli_list *gates, struct error *err)
{
    struct bench_record records[2];
    struct comparison comparison;

    if (!bench_record_read(cli->arena, older, &records[0], err) ||
        !bench_record_read(cli->arena, newer, &records[1], err) ||
        !compare(cli, &records[0], &records[1], &comparison, err))
        return false;
    if (cli->is_json)
        print_json(comparison_data(cli, &records[0], &records[1], &comparison));
    else
        print_comparison(cli, &records[0], &records[1], &comparison);
    return apply_gates(cli, &records[0], &records[1], gates, err);
}
