// SPDX-License-Identifier: MIT
#include "cli/command.h"

/* The command table: one row a command, in the order of the overview. */
const struct cli_command cli_commands[] = {
    {"init", "", "write a first deck from a live server", "the deck", cmd_init},
    {"check", "[FILE]", "check a deck, without a server", "the deck", cmd_check},
    {"plan", "", "compare the deck with the servers and show what would change", "making it so",
     cmd_plan},
    {"apply", "[PLAN]", "make the servers what the deck says", "making it so", cmd_apply},
    {"rollback", "", "take back the newest apply", "making it so", cmd_rollback},
    {"diff", "ENVIRONMENT ENVIRONMENT",
     "how two environments differ, and why; exits with 0 the same, 2 different", "making it so",
     cmd_diff},
    {"tune", "", "show each parameter: now, proposed, where it is set, and why", "making it so",
     cmd_tune},
    {"index", "VERB", "what indexes there are, and which deserve a second look", "making it so",
     cmd_index},
    {"partition", "VERB", "partitions: what there is, upkeep, and what conversions have left",
     "making it so", cmd_partition},
    {"maintain", "VERB", "daily, weekly and monthly work: what is due, done and recorded",
     "making it so", cmd_maintain},
    {"health", "", "find what is wrong with the databases, and the SQL that mends it", "measuring",
     cmd_health},
    {"explain", "QUERY|QUERYID", "show the plan of one query, and what is wrong in it", "measuring",
     cmd_explain},
    {"security", "[VERB]", "who may do what, and what is unsafe; 0 ok, 1 warn, 2 fail", "measuring",
     cmd_security},
    {"bench", "", "measure the workload before and after, and write a report", "measuring",
     cmd_bench},
    {"pool", "[show WHAT | render FORM]", "serve each service its connections; show; render",
     "daemons", cmd_pool},
    {"demo", "", "show all of it on two private servers", "a private server", cmd_demo},
    {"up", "[NAME]", "create or start a private PostgreSQL server", "a private server", cmd_up},
    {"down", "[NAME ...]", "stop private servers, or remove them", "a private server", cmd_down},
    {"status", "", "list the private servers", "a private server", cmd_status},
};
const size_t cli_command_count = sizeof(cli_commands) / sizeof(cli_commands[0]);
