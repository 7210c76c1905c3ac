/* Fills a page: a template with places like those of Mustache, and the JSON value to show.
 *   {{name}}             the member's text or number, escaped for HTML
 *   {{#name}}..{{/name}} once for each item of an array, in the item's own scope; once for an
 *                        object, in its scope; once for true, a number or a non-empty text
 *   {{^name}}..{{/name}} once for false, null, an empty array or text, a missing member
 *   {{.}}                the item itself
 *   {{>path}}            another embedded file, filled in the same scope (a style sheet)
 *   {{!-- a remark --}}
 * A name is looked up in the innermost scope first, then outwards. There is no unescaped form:
 * all markup is in the template, nothing from a database or a deck can become markup. */
#pragma once
#include "base/text.h"
#include <jansson.h>

/* The template is part of the program: a fault in it ends the program with its name. */
void page_fill(struct text *out, const char *template_path, const json_t *value);
/* The same with the template's text itself; name is for the messages. */
void
page_fill_text(struct text *out, const char *name, const char *template_text, const json_t *value);
/* Appends with &, <, >, " and ' escaped, and control characters shown as U+FFFD. */
void page_escape(struct text *out, const char *chars);
