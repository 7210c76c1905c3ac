/* The documents that the publisher makes of what is known, each with the lock held. */
#pragma once
#include "watch/state.h"

json_t *watch_overview(struct watch *watch, double now);
json_t *watch_load_document(struct watch *watch, double now);
json_t *watch_pools_document(struct watch *watch, double now);
json_t *watch_history_document(struct watch *watch, double now);
json_t *watch_forecasts_document(struct watch *watch, double now);
json_t *watch_blocking_document(struct watch *watch, double now);
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
