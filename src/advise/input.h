/* Where statements come from. Each adds what it finds to the run, whose sessions are open. */
#pragma once
#include "advise/run.h"
#include "advise/snapshot.h"

/* A file of SQL: statements, each once or as often as a remark "-- calls: 1000" in front of it
 * says. A folder: all of its *.sql files. Errors: ERROR_FILE. */
bool advise_input_file(struct advise *run, const char *path, struct error *err) MUST_CHECK;
/* A server's log: text, CSV (*.csv) or JSON. */
bool advise_input_log(struct advise *run, const char *path, struct error *err) MUST_CHECK;
/* What pg_stat_statements counted. */
void advise_input_snapshot(struct advise *run, const struct advise_snapshot *snapshot);
