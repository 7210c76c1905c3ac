// SPDX-License-Identifier: MIT
#include "plan/watch_apply.h"

#include "base/interrupt.h"
#include "base/text.h"
#include "settings/value.h"

#include <string.h>

enum { SLICES = 10 };
/* Less than this says nothing. */
enum { KNOWN_CALLS = 5, FEWEST_CALLS = 50, FEWEST_TRANSACTIONS = 50 };
static const double noise_ms = 0.05; /* of one call */

/* A span of time: what was counted before the apply, at its begin and at its end. */
struct span {
    struct arena *arena;
    const struct deck_watch *limits;
    const struct watch_counts *before, *from, *to;
    double seconds;
};

/* What one measure tells of a span. */
struct finding {
    const char *text; /* "statements took 12 % longer"; NULL: nothing to tell */
    bool is_worse;    /* than the deck allows */
};

/* --- measures ----------------------------------------------------------------------------- */

/* Each statement beside its own mean of before, so that another mixture of them is no change. */
static struct finding
judge_mean_time(const struct span *span)
{
    double calls = 0, expected_ms = 0, total_ms = 0;

    for (size_t i = 0; i < span->to->statements.count; i++) {
        const struct watch_statement *now = &span->to->statements.items[i];
        const struct watch_statement *former = watch_find_statement(span->before, now->key);
        const struct watch_statement *begun = watch_find_statement(span->from, now->key);
        double new_calls = now->calls - (begun == NULL ? 0 : begun->calls);
        if (former == NULL || former->calls < KNOWN_CALLS || new_calls <= 0)
            continue;
        calls += new_calls;
        expected_ms += new_calls * former->total_ms / former->calls;
        total_ms += now->total_ms - (begun == NULL ? 0 : begun->total_ms);
    }
    if (calls < FEWEST_CALLS || expected_ms <= 0)
        return (struct finding){NULL, false};
    double growth = total_ms / expected_ms - 1;
    bool is_noise = (total_ms - expected_ms) / calls < noise_ms;
    return (struct finding){
        arena_printf(span->arena, "%.0f calls of known statements took %.3g ms each, %+.0f %%",
                     calls, total_ms / calls, 100 * growth),
        growth > span->limits->mean_time && !is_noise};
}

static double
share_of_rollbacks(double commits, double rollbacks)
{
    return commits + rollbacks > 0 ? rollbacks / (commits + rollbacks) : 0;
}

static struct finding
judge_errors(const struct span *span)
{
    double commits = span->to->commits - span->from->commits;
    double rollbacks = span->to->rollbacks - span->from->rollbacks;
    double before = share_of_rollbacks(span->before->commits, span->before->rollbacks);
    double now = share_of_rollbacks(commits, rollbacks);

    if (commits + rollbacks < 1)
        return (struct finding){NULL, false};
    return (struct finding){
        arena_printf(span->arena, "%.0f transactions, %.3g %% rolled back (before %.3g %%)",
                     commits + rollbacks, 100 * now, 100 * before),
        commits + rollbacks >= FEWEST_TRANSACTIONS && now > before + span->limits->errors};
}

static struct finding
judge_log(const struct span *span)
{
    double errors = span->to->errors - span->from->errors;
    double fatals = span->to->fatals - span->from->fatals;

    if (errors + fatals < 1)
        return (struct finding){NULL, false};
    return (struct finding){
        arena_printf(span->arena, "%.0f errors and %.0f fatal ones in the log", errors, fatals),
        false};
}

static struct finding
judge_checkpoints(const struct span *span)
{
    double count = span->to->checkpoints - span->from->checkpoints;
    double rate = span->before->checkpoint_seconds > 0
                      ? span->before->checkpoints / span->before->checkpoint_seconds
                      : 0;

    if (count < 1)
        return (struct finding){NULL, false};
    return (struct finding){arena_printf(span->arena, "%.0f requested checkpoints", count),
                            count - rate * span->seconds > span->limits->checkpoints};
}

static struct finding
judge_swap(const struct span *span)
{
    double bytes = span->to->swap_bytes - span->from->swap_bytes;

    if (span->to->swap_bytes < 0 || bytes < 1)
        return (struct finding){NULL, false};
    return (struct finding){arena_printf(span->arena, "%s written to swap",
                                         setting_rounded_size(span->arena, (int64_t)bytes)),
                            bytes > (double)span->limits->swap_bytes};
}

static struct finding (*const measures[])(const struct span *) = {
    judge_errors, judge_mean_time, judge_checkpoints, judge_swap, judge_log};

/* --- one server --------------------------------------------------------------------------- */

/* One server's course. */
struct course {
    struct watch_counts first, last; /* of what is judged; of the last slice */
    double seconds;                  /* since first */
    bool was_worse;                  /* in the last slice */
};

/* Adds what there is to tell to line; returns what is worse, NULL: nothing. */
static const char *
judge(const struct span *span, struct text *line)
{
    const char *worse = NULL;

    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
        struct finding finding = measures[i](span);
        if (finding.text == NULL)
            continue;
        if (line != NULL)
            text_appendf(line, "%s%s%s", line->length > 0 ? "; " : "",
                         finding.is_worse ? "WORSE: " : "", finding.text);
        if (finding.is_worse && worse == NULL)
            worse = finding.text;
    }
    return worse;
}

static void
tell(const struct watch_options *options, struct arena *arena, const char *server, int64_t at_ms,
     const char *line)
{
    if (options->on_note != NULL)
        options->on_note(options->sink,
                         arena_printf(arena, "  %s, %s: %s", server, setting_duration(arena, at_ms),
                                      line[0] == '\0' ? "nothing ran" : line));
}

/* The end of a slice. ret_reason is set when it was the second bad one in a row. */
static bool
look(struct watch_apply *watch, const struct watch_options *options, size_t which,
     struct course *course, int64_t at_ms, const char **ret_reason, struct error *err)
{
    AUTO_TEXT line = {0};
    struct watch_counts now;
    const char *server = watch->plan->servers.items[which].deck->name;
    double slice_seconds = (double)options->duration_ms / SLICES / 1000;

    if (!watch_counts_read(watch->arena, &watch->servers[which], &now, err))
        return false;
    course->seconds += slice_seconds;
    const struct span span = {
        watch->arena, &watch->plan->deck->watch, &watch->before[which], &course->last, &now,
        slice_seconds};
    const char *worse = judge(&span, &line);
    tell(options, watch->arena, server, at_ms, text_chars(&line));
    if (worse != NULL && course->was_worse)
        *ret_reason = arena_printf(watch->arena, "server %s: %s", server, worse);
    course->was_worse = worse != NULL;
    course->last = now;
    return true;
}

/* Over the whole time, also what no slice had enough of. */
static const char *
look_back(const struct watch_apply *watch, size_t which, const struct course *course)
{
    const struct span span = {watch->arena,          &watch->plan->deck->watch,
                              &watch->before[which], &course->first,
                              &course->last,         course->seconds};
    const char *worse = judge(&span, NULL);

    return worse == NULL ? NULL
                         : arena_printf(watch->arena, "server %s: %s",
                                        watch->plan->servers.items[which].deck->name, worse);
}

/* --- all ---------------------------------------------------------------------------------- */

bool
watch_apply_begin(struct arena *arena, const struct plan *plan, struct watch_apply *ret_watch,
                  struct error *err)
{
    size_t count = plan->servers.count;
    struct watch_apply watch = {
        .arena = arena,
        .plan = plan,
        .servers = ARENA_ARRAY(arena, struct watch_server, count + 1),
        .before = ARENA_ARRAY(arena, struct watch_counts, count + 1),
    };

    for (size_t i = 0; i < count; i++) {
        struct watch_server *server = &watch.servers[i];
        const struct plan_server *planned = &plan->servers.items[i];
        *server = (struct watch_server){.deck = plan->deck, .server = planned};
        bool is_fine = settings_host_read(arena, &planned->catalog, &server->host, err) &&
                       watch_server_open(arena, server, err) &&
                       watch_counts_read(arena, server, &watch.before[i], err);
        watch_server_close(server);
        if (!is_fine)
            return error_wrap(err, "cannot watch server \"%s\"", planned->deck->name);
    }
    *ret_watch = watch;
    return true;
}

/* The server may have restarted: everything is looked for again, but the past. */
static bool
begin_course(struct watch_apply *watch, const struct watch_options *options, size_t which,
             struct course *course, struct error *err)
{
    struct watch_server *server = &watch->servers[which];
    const char *name = server->server->deck->name;

    server->schema = NULL;
    if (!watch_server_open(watch->arena, server, err) ||
        !watch_counts_read(watch->arena, server, &course->first, err))
        return false;
    course->last = course->first;
    if (options->on_note == NULL)
        return true;
    if (!watch->before[which].has_statements)
        options->on_note(options->sink,
                         arena_printf(watch->arena,
                                      "  %s: how long statements took before is not known "
                                      "(pg_stat_statements was not there)",
                                      name));
    return true;
}

static bool
look_at_all(struct watch_apply *watch, const struct watch_options *options, int slice,
            struct course *courses, const char **ret_reason, struct error *err)
{
    int64_t at_ms = options->duration_ms * slice / SLICES;

    for (size_t i = 0; i < watch->plan->servers.count; i++) {
        if (!watch->touched[i])
            continue;
        if (!look(watch, options, i, &courses[i], at_ms, ret_reason, err))
            return false;
        if (slice == 1 && options->has_restarted) {
            courses[i].first = courses[i].last;
            courses[i].seconds = 0;
            courses[i].was_worse = false;
        }
        if (slice == SLICES && *ret_reason == NULL)
            *ret_reason = look_back(watch, i, &courses[i]);
    }
    return true;
}

static bool
watch_all(struct watch_apply *watch, const struct watch_options *options, struct course *courses,
          const char **ret_reason, struct error *err)
{
    int pause_ms = (int)(options->duration_ms / SLICES);

    for (size_t i = 0; i < watch->plan->servers.count; i++) {
        if (watch->touched[i] && !begin_course(watch, options, i, &courses[i], err))
            return false;
    }
    for (int slice = 1; slice <= SLICES && *ret_reason == NULL; slice++) {
        if (!interrupt_sleep_ms(pause_ms, err) ||
            !look_at_all(watch, options, slice, courses, ret_reason, err))
            return false;
    }
    return true;
}

bool
watch_apply_run(struct watch_apply *watch, const struct watch_options *options, const bool *touched,
                const char **ret_reason, struct error *err)
{
    size_t count = watch->plan->servers.count;
    struct course *courses = ARENA_ARRAY(watch->arena, struct course, count + 1);

    *ret_reason = NULL;
    watch->touched = touched;
    bool is_fine = watch_all(watch, options, courses, ret_reason, err);
    for (size_t i = 0; i < count; i++)
        watch_server_close(&watch->servers[i]);
    if (!is_fine && err->code == ERROR_CONNECTION_LOST) {
        /* The server ends all sessions when one of its processes crashes. */
        *ret_reason = arena_printf(watch->arena, "the server has broken off the connection: %s",
                                   err->message);
        error_clear(err);
        return true;
    }
    return is_fine;
}
