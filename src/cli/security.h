/* The verbs of pgdeck security. */
#pragma once
#include "cli/command.h"

cli_run security_audit, security_check, security_render, security_rotate, security_tenants;
