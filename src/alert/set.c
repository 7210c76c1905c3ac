// SPDX-License-Identifier: MIT
#include "alert/set.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *
alert_level_name(enum alert_level level)
{
    static const char *const names[] = {"none", "warning", "critical"};

    return names[level];
}

const char *
alert_change_name(enum alert_change change)
{
    static const char *const names[] = {"fired", "worse", "better", "cleared"};

    return names[change];
}

/* --- texts ---------------------------------------------------------------------------------- */

/* A copy of at most limit bytes, valid UTF-8 all through, never NULL. */
static char *
copy_text(const char *chars, size_t limit)
{
    size_t length = chars == NULL ? 0 : strnlen(chars, limit);

    if (length > 0)
        length = text_utf8_length(chars, length);
    char *copy = malloc(length + 1);
    if (copy == NULL)
        abort();
    if (length > 0)
        memcpy(copy, chars, length);
    copy[length] = '\0';
    return copy;
}

static void
replace_text(char **text, const char *chars, size_t limit)
{
    char *copy = copy_text(chars, limit);

    free(*text);
    *text = copy;
}

/* Half a statement is worse than none. */
static const char *
whole_fix(const char *fix)
{
    return fix == NULL || strlen(fix) > ALERT_FIX_BYTES ? "" : fix;
}

/* Whether stored is what copy_text makes of chars. */
static bool
is_same(const char *stored, const char *chars)
{
    size_t length = chars == NULL ? 0 : strnlen(chars, ALERT_NAME_BYTES);

    if (length > 0)
        length = text_utf8_length(chars, length);
    return strlen(stored) == length && memcmp(stored, chars == NULL ? "" : chars, length) == 0;
}

/* --- members -------------------------------------------------------------------------------- */

static void
free_alert(struct alert *alert)
{
    char *const texts[] = {alert->name,    alert->server,  alert->environment,  alert->database,
                           alert->message, alert->fix_sql, alert->fix_database, alert->unit};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    free(alert);
}

void
alert_set_release(struct alert_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free_alert(set->items[i]);
    free(set->items);
    *set = (struct alert_set){0};
}

static void
take_over(struct alert *alert, const struct alert_finding *finding)
{
    alert->value = finding->value;
    alert->warning = finding->warning;
    alert->critical = finding->critical;
    replace_text(&alert->unit, finding->unit, ALERT_NAME_BYTES);
    if (finding->level == ALERT_NONE && alert->level != ALERT_NONE)
        return; /* the cause and what mends it stay until it is cleared */
    replace_text(&alert->message, finding->message, ALERT_MESSAGE_BYTES);
    replace_text(&alert->fix_sql, whole_fix(finding->fix_sql), ALERT_FIX_BYTES);
    replace_text(&alert->fix_database,
                 finding->fix_database != NULL ? finding->fix_database : finding->database,
                 ALERT_NAME_BYTES);
}

struct alert *
alert_set_add(struct alert_set *set, const struct alert_finding *finding)
{
    if (set->items == NULL)
        set->items = calloc(ALERT_LIMIT, sizeof(struct alert *));
    if (set->items == NULL || set->count == ALERT_LIMIT)
        return NULL;
    struct alert *alert = calloc(1, sizeof(*alert));
    if (alert == NULL)
        return NULL;
    alert->name = copy_text(finding->name, ALERT_NAME_BYTES);
    alert->server = copy_text(finding->server, ALERT_NAME_BYTES);
    alert->environment = copy_text(finding->environment, ALERT_NAME_BYTES);
    alert->database = copy_text(finding->database, ALERT_NAME_BYTES);
    take_over(alert, finding);
    set->items[set->count++] = alert;
    return alert;
}

static struct alert *
find(const struct alert_set *set, const struct alert_finding *finding)
{
    for (size_t i = 0; i < set->count; i++) {
        struct alert *alert = set->items[i];
        if (is_same(alert->name, finding->name) && is_same(alert->database, finding->database) &&
            is_same(alert->environment, finding->environment) &&
            is_same(alert->server, finding->server))
            return alert;
    }
    return NULL;
}

static bool
is_idle(const struct alert *alert)
{
    for (size_t i = 0; i < ALERT_TARGET_LIMIT; i++) {
        if (alert->sent[i] != ALERT_NONE)
            return false;
    }
    return alert->level == ALERT_NONE && alert->breaches == 0 && alert->in_flight == 0;
}

void
alert_set_sweep(struct alert_set *set)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->count; i++) {
        if (is_idle(set->items[i]))
            free_alert(set->items[i]);
        else
            set->items[kept++] = set->items[i];
    }
    set->count = kept;
}

/* --- a round -------------------------------------------------------------------------------- */

/* Good, but so near to the limit that an alert which fires does not count it: a fifth of the way
 * from warning to critical, at most a tenth of warning. */
static bool
is_near(const struct alert *alert)
{
    double width = fmin(fabs(alert->critical - alert->warning) / 5, fabs(alert->warning) / 10);

    if (isnan(width) || isnan(alert->value))
        return false;
    return alert->critical < alert->warning ? alert->value < alert->warning + width
                                            : alert->value > alert->warning - width;
}

static void
see(struct alert_set *set, const struct alert_finding *finding, int64_t now_ms)
{
    struct alert *alert = find(set, finding);

    if (alert == NULL) {
        if (finding->level == ALERT_NONE)
            return;
        alert = alert_set_add(set, finding);
        if (alert == NULL) {
            set->left_out++;
            return;
        }
    }
    int64_t measured_ms = finding->measured_ms != 0 ? finding->measured_ms : now_ms;
    if (!alert->is_seen || measured_ms > alert->round_ms)
        alert->round_ms = measured_ms;
    if (finding->measured_ms == 0)
        alert->is_new = true;
    if (finding->level != ALERT_NONE)
        alert->breaching++;
    if (alert->is_seen && finding->level <= alert->seen)
        return;
    alert->is_seen = true;
    alert->seen = finding->level;
    take_over(alert, finding);
}

static void
count_round(struct alert *alert)
{
    if (alert->seen != ALERT_NONE) {
        alert->breaches++;
        alert->good_rounds = 0;
    } else if (alert->level != ALERT_NONE && is_near(alert)) {
        alert->good_rounds = 0;
    } else {
        alert->good_rounds++;
    }
    if (alert->seen == ALERT_CRITICAL) {
        alert->critical_breaches++;
        alert->less_rounds = 0;
    } else {
        alert->less_rounds++;
    }
}

/* The level after the round. */
static enum alert_level
decide(struct alert *alert, struct alert_counts counts)
{
    enum alert_level level = alert->level;

    if (alert->less_rounds >= counts.clear)
        alert->critical_breaches = 0;
    if (alert->good_rounds >= counts.clear) {
        alert->breaches = 0;
        return ALERT_NONE;
    }
    if (level == ALERT_NONE && alert->breaches >= counts.fire)
        level = ALERT_WARNING;
    if (level == ALERT_WARNING && alert->critical_breaches >= counts.fire)
        level = ALERT_CRITICAL;
    if (level == ALERT_CRITICAL && alert->critical_breaches == 0)
        level = ALERT_WARNING;
    return level;
}

static void
change(struct arena *arena, struct alert *alert, enum alert_level level,
       struct alert_events *ret_events)
{
    struct alert_event *event = LIST_ADD(arena, &ret_events->list);

    event->alert = alert;
    event->before = alert->level;
    event->change = level == ALERT_NONE          ? ALERT_CLEARED
                    : alert->level == ALERT_NONE ? ALERT_FIRED
                    : level == ALERT_CRITICAL    ? ALERT_WORSE
                                                 : ALERT_BETTER;
    alert->level = level;
}

void
alert_set_round(struct arena *arena, struct alert_set *set, const struct alert_rules *rules,
                const struct alert_round *round, struct alert_events *ret_events)
{
    set->left_out = 0;
    for (size_t i = 0; i < set->count; i++) {
        set->items[i]->is_seen = set->items[i]->is_new = false;
        set->items[i]->breaching = 0;
    }
    for (size_t i = 0; i < round->count; i++)
        see(set, &round->findings[i], round->now_ms);
    for (size_t i = 0; i < set->count; i++) {
        struct alert *alert = set->items[i];
        if (!alert->is_seen || (!alert->is_new && alert->round_ms == alert->measured_ms))
            continue;
        alert->measured_ms = alert->round_ms;
        count_round(alert);
        enum alert_level level = decide(alert, rules->counts(rules->context, alert->name));
        if (level == alert->level)
            continue;
        if (alert->level == ALERT_NONE) {
            alert->since_ms = round->now_ms;
            alert->number = ++set->last_number;
        }
        change(arena, alert, level, ret_events);
    }
}

void
alert_set_retire(struct arena *arena, struct alert_set *set,
                 bool (*is_gone)(const void *context, const struct alert *alert),
                 const void *context, struct alert_events *ret_events)
{
    for (size_t i = 0; i < set->count; i++) {
        struct alert *alert = set->items[i];
        if (!is_gone(context, alert))
            continue;
        alert->breaches = alert->good_rounds = alert->critical_breaches = alert->less_rounds = 0;
        alert->value = NAN; /* the last one was bad */
        if (alert->level != ALERT_NONE)
            change(arena, alert, ALERT_NONE, ret_events);
    }
}
