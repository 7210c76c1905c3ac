/* The verbs of pgdeck partition, one function each. */
#pragma once
#include "cli/command.h"

cli_run partition_status, partition_maintain, partition_gc;
