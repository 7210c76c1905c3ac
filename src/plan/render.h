/* A plan as people read it. */
#pragma once
#include "base/text.h"
#include "plan/plan.h"

/* Escape sequences, or empty strings. */
struct render_style {
    const char *bold, *dim, *red, *green, *yellow, *reset;
};

/* Databases in which an advisor says the same are shown together. with_sql: statements and undo. */
void plan_render(const struct plan *plan, const struct render_style *style, bool with_sql,
                 struct text *text);
