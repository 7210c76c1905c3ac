/* The verbs of `pgdeck alerts`. */
#pragma once
#include "cli/command.h"

cli_run alerts_list, alerts_silence, alerts_unsilence, alerts_history, alerts_test, alerts_rules;
