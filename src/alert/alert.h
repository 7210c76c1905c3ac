/* Alerts: what each round of findings makes of them, who is told, what is remembered. A daemon has
 * one `struct alerts` a deck; it hands over its findings and goes on: files are written and
 * messages sent by threads of alert's own. All functions may be called from any thread. */
#pragma once
#include "alert/finding.h"
#include "base/arena.h"
#include "deck/deck.h"
#include <jansson.h>

struct alerts;

/* Reads what is remembered of that deck and begins to deliver. The deck is not kept. The folder
 * (NULL: alerts/DECK in the state folder) is made; one daemon at a time has it (ERROR_LOCKED). */
bool alerts_open(const struct deck *deck, const char *folder, struct alerts **ret_alerts,
                 struct error *err) MUST_CHECK;
/* Takes over the limits and targets of a deck that was read again. What fires for an environment
 * or database that the deck has no more is cleared. */
void alerts_reload(struct alerts *alerts, const struct deck *deck);
/* One round. Each finding is what was measured, good or bad (ALERT_NONE); what is left out was
 * not measured and neither fires nor clears. Of several findings of the same name, server,
 * environment and database the worst counts. now_ms: since 1970. Copies what it needs. */
void alerts_round(struct alerts *alerts, const struct alert_finding *findings, size_t count,
                  int64_t now_ms);
/* What the document `health` (NULL: none) has no check of any more is cleared. */
void alerts_retire_health(struct alerts *alerts, const struct deck *deck, const json_t *health,
                          int64_t now_ms);
/* Open alerts, silences, and how each target does, as JSON (docs/alerts.md). In the arena. */
char *alerts_document(struct arena *arena, struct alerts *alerts);
/* Ends the threads (at most 2 s) and writes what is to be remembered. NULL is fine. What is not yet
 * delivered will be after the next open. */
void alerts_close(struct alerts *alerts);
