/* What the documents of `pgdeck watch` (docs/design/watch.md) say against the levels of a deck, as
 * findings: healthy ones too; what is not known is left out. Pure; in the caller's arena. */
#pragma once
#include "alert/finding.h"
#include "base/arena.h"
#include "deck/deck.h"
#include <jansson.h>
#include <stdbool.h>

struct alert_findings {
    LIST_OF(struct alert_finding) list;
};

/* Servers and databases that do not answer; `alerts:` of the deck, and where it has none of that
 * name connections at 80 and 95 %, query_mean at 1 and 5 s, ai_task_errors at 5 and 10 %, cache_hit
 * at 90 and 80 %. blocking, queries: may be NULL. */
void alert_evaluate(struct arena *arena, const struct deck *deck, const json_t *overview,
                    const json_t *blocking, const json_t *queries,
                    struct alert_findings *ret_findings);

/* What the health checks of the document `health` found of that deck: alerts by the name of the
 * check behind this, of one sight, for what is critical. Those that are measured all the time
 * anyway are left out. */
#define ALERT_HEALTH "health_"
void alert_evaluate_health(struct arena *arena, const struct deck *deck, const json_t *health,
                           struct alert_findings *ret_findings);

/* Whether that look was at all of the place of an alert by a check's name, but there is no such
 * check any more. */
bool alert_health_is_over(const struct deck *deck, const json_t *health,
                          const struct alert_finding *alert);

/* What the document `forecasts` says is used up soon: one a database, one a server's disks. */
void alert_evaluate_forecasts(struct arena *arena, const struct deck *deck, const json_t *forecasts,
                              struct alert_findings *ret_findings);

struct alert_levels {
    double warning, critical; /* critical below warning: low is bad */
    const char *unit;         /* "share", "ms", "bytes", "count" */
};
/* False: nobody wants to hear of it. */
bool alert_levels_of(const struct deck *deck, const char *name, struct alert_levels *ret_levels);
/* SQL that mends it, or shows what to mend; NULL: none in general. */
const char *alert_fix(struct arena *arena, const char *name);

/* prometheus.c: the same as rules for Prometheus, on the metrics of pgdeck watch. */
char *alert_prometheus_rules(struct arena *arena, const struct deck *deck);
