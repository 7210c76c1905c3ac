// SPDX-License-Identifier: MIT
#include "cli/health.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_S = 8, LONGEST_TIMEOUT_S = 3600 };

/* As monitoring systems want it: 0 healthy, 1 warning, 2 critical, 3 something was not measurable
 * now. What the role can never see is said, but a state that cannot change is no alarm. */
static int
exit_status(const struct health_report *report)
{
    if (report->counts[HEALTH_CRITICAL] > 0)
        return 2;
    if (report->counts[HEALTH_WARNING] > 0)
        return 1;
    return report->counts[HEALTH_UNKNOWN] > report->role_limit_count ? 3 : 0;
}

static bool
look(struct cli *cli, struct health_options *options, struct health_report *report,
     struct error *err)
{
    options->deck = cli_load_deck(cli, err);
    return options->deck != NULL && health_look(cli->arena, options, report, err);
}

static bool
has_nagios(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--nagios") == 0)
            return true;
    }
    return false;
}

/* A monitoring system takes any other exit code for an alarm of its own. */
static int
failed(bool is_nagios, struct error *err)
{
    if (!is_nagios || err->code == ERROR_NONE)
        return cli_failed(err);
    printf("PGDECK UNKNOWN - %s\n", err->message);
    return 3;
}

int
cmd_health(struct cli *cli, const struct cli_command *command, int argc, char **argv,
           struct error *err)
{
    struct cli_list databases = {0}, checks = {0}, operands = {0};
    struct health_report report;
    bool is_nagios = false, has_all = false;
    long timeout_s = DEFAULT_TIMEOUT_S;
    const struct cli_option table[] = {
        {"nagios", 0, CLI_FLAG, NULL, "one line and figures, as Nagios and its heirs want it",
         &is_nagios},
        {"all", 'a', CLI_FLAG, NULL, "healthy checks too", &has_all},
        {"check", 'c', CLI_LIST, "NAME", "only this check (again for more)", &checks},
        {"database", 0, CLI_LIST, "NAME", "only this database (again for more)", &databases},
        {"timeout", 0, CLI_NUMBER, "SECONDS", "for all checks together; default 8", &timeout_s},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return failed(has_nagios(argc, argv), err);
    if (timeout_s < 1 || timeout_s > LONGEST_TIMEOUT_S) {
        error_set(err, ERROR_USAGE, "--timeout: from 1 to %d seconds", LONGEST_TIMEOUT_S);
        return failed(is_nagios, err);
    }
    struct health_options options = {
        .databases = databases.values.items,
        .database_count = databases.values.count,
        .checks = checks.values.items,
        .check_count = checks.values.count,
        .timeout_ms = (int)timeout_s * 1000,
    };
    if (!look(cli, &options, &report, err))
        return failed(is_nagios, err);
    if (is_nagios)
        health_print_nagios(&report);
    else if (!cli->is_json)
        health_print_text(cli, &report, has_all);
    else if (!health_print_json(&report, err))
        return cli_failed(err);
    return exit_status(&report);
}
