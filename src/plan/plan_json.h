/* A plan as JSON: for machines, and as the promise that `apply plan.json` holds pgdeck to. */
#pragma once
#include "base/text.h"
#include "plan/plan.h"

/* Appends the document, indented. */
void plan_write_json(const struct plan *plan, struct text *text);
/* Whether the plan is the one that the file at path promised; else ERROR_STALE_PLAN, detail says
 * what differs. ERROR_FILE: the file is no plan. */
bool plan_matches_file(const struct plan *plan, const char *path, struct error *err) MUST_CHECK;
/* The deck's path that a plan file names, in the arena. */
bool plan_file_deck(struct arena *arena, const char *path, const char **ret_deck,
                    struct error *err) MUST_CHECK;
