/* The documents that the publisher makes of what is known, each with the lock held. */
#pragma once
#include "watch/state.h"

json_t *watch_overview(struct watch *watch, double now);
json_t *watch_load_document(struct watch *watch, double now);
json_t *watch_pools_document(struct watch *watch, double now);
json_t *watch_history_document(struct watch *watch, double now);
json_t *watch_forecasts_document(struct watch *watch, double now);
json_t *watch_blocking_document(struct watch *watch, double now);
/* The load's steps of five minutes from..until (Unix seconds): names of events, and an array for
 * SQL with how often somebody looked and the sum of sessions of each, step by step. False: nobody
 * looked. */
bool watch_load_append(const struct watch_load *load, int64_t from, int64_t until,
                       struct text *ret_events, struct text *ret_sums);
/* The same back, as numbers with spaces between them; what is known already stays. */
void watch_load_recall(struct watch_load *load, const char *events, const char *sums, int64_t from,
                       int64_t until);
/* A JSON string of whatever a server says, valid UTF-8 or not; null for NULL. */
json_t *watch_json(const char *text);
json_t *watch_number(double value); /* null for NAN and infinity */
void watch_publish_metrics(struct watch *watch, const json_t *overview, const json_t *forecasts,
                           double now);
/* Each environment's targets over the last day. */
void watch_publish_environments(struct watch *watch, double now);
enum { WATCH_ID_BYTES = 32 };
const char *watch_environment_id(const struct deck *deck,
                                 const struct deck_environment *environment,
                                 char ret_id[WATCH_ID_BYTES]);
void watch_publish_queries(struct watch *watch, double now);
json_t *watch_targets(struct watch *watch, const struct deck *deck,
                      const struct deck_environment *environment, double now);
