// SPDX-License-Identifier: MIT
/* pgdeck alerts test, rules. */
#include "cli/alerts.h"

#include "alert/evaluate.h"
#include "alert/send.h"

#include <curl/curl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MS = 1000 };

static const struct deck_notify *
find_target(const struct deck *deck, const char *name)
{
    for (size_t i = 0; i < deck->notify.count; i++) {
        if (strcmp(deck->notify.items[i].name, name) == 0)
            return &deck->notify.items[i];
    }
    return NULL;
}

static bool
send_test(struct cli *cli, const struct deck *deck, const struct deck_notify *target,
          struct error *err)
{
    static const atomic_bool is_stopping;
    char environment[] = "", fix[] = "SELECT 1;", name[] = "test", unit[] = "";
    char message[] = "this is a test by pgdeck alerts test; nothing is wrong";
    struct alert alert = {
        .name = name,
        .server = environment,
        .environment = environment,
        .database = environment,
        .unit = unit,
        .message = message,
        .fix_sql = fix,
        .fix_database = environment,
        .level = ALERT_WARNING,
        .value = NAN,
        .warning = NAN,
        .critical = NAN,
    };
    struct alert_batch batch = {
        .deck = deck->name, .now_ms = (int64_t)time(NULL) * MS, .is_test = true};

    alert.since_ms = batch.now_ms;
    struct alert_message *fired = LIST_ADD(cli->arena, &batch.messages);
    *fired = (struct alert_message){.change = ALERT_FIRED, .level = ALERT_WARNING, .alert = &alert};
    return alert_send(target, &batch, &is_stopping, err);
}

int
alerts_test(struct cli *cli, const struct cli_command *row, int argc, char **argv,
            struct error *err)
{
    struct cli_list operands = {0};

    if (!cli_parse(cli, row, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    if (operands.values.count != 1) {
        error_set(err, ERROR_USAGE, "name one target of notify:");
        return cli_failed(err);
    }
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL)
        return cli_failed(err);
    const struct deck_notify *target = find_target(deck, operands.values.items[0]);
    if (target == NULL) {
        error_set(err, ERROR_USAGE, "the deck's notify has no \"%s\"", operands.values.items[0]);
        return cli_failed(err);
    }
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool is_told = send_test(cli, deck, target, err);
    curl_global_cleanup();
    if (!is_told)
        return cli_failed(err);
    printf("%s took it\n", target->name);
    return 0;
}

int
alerts_rules(struct cli *cli, const struct cli_command *row, int argc, char **argv,
             struct error *err)
{
    struct cli_list operands = {0};

    if (!cli_parse(cli, row, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL)
        return cli_failed(err);
    fputs(alert_prometheus_rules(cli->arena, deck), stdout);
    return 0;
}
