/* The JSON Schema of a deck, for editors; made from the tables of keys (keys.h). */
#pragma once
#include <stdio.h>

void deck_json_schema_print(FILE *file);
