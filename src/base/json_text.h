// SPDX-License-Identifier: MIT
/* Text of databases, of logs and of people as JSON, which is UTF-8. */
#pragma once
#include <jansson.h>

/* NULL is null. A byte that is no UTF-8 (a database need not have an encoding) becomes '?'. */
json_t *json_text(const char *text);
