/* A comparison of two environments as people and as machines read it. */
#pragma once
#include "cli/command.h"
#include "diff/diff.h"

void diff_print(const struct cli *cli, const struct diff *diff);
void diff_print_json(const struct diff *diff);
