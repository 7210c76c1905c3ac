/* What is remembered of the alerts of a deck, as files in a folder of their own: state.json (the
 * daemon's), silences.json (of `pgdeck alerts silence`), history.jsonl (what changed). Files are
 * replaced whole; the history turns at 1 MB. In the caller's arena. */
#pragma once
#include "alert/message.h"
#include "deck/deck.h"

enum { ALERT_SILENCE_LIMIT = 100 };

struct alert_target_state { /* how a target does */
    char name[ALERT_NAME_BYTES + 1];
    int64_t ok_ms;      /* last told; 0: never */
    int64_t failing_ms; /* since; 0: it does not */
    int failures;       /* in a row */
    int64_t sent; /* this and the next since the start: messages taken, attempts that failed */
    int64_t failed;
    char error[1024];
};

struct alert_store {
    struct alert_set set;
    struct alert_target_state targets[ALERT_TARGET_LIMIT];
    size_t target_count;
    int64_t at_ms; /* when it was written */
};

struct alert_silence {
    const char *id;
    const char *name;                   /* "*": any */
    const char *environment, *database; /* NULL: any */
    const char *author, *why;
    int64_t begun_ms, until_ms;
};
struct alert_silences {
    LIST_OF(struct alert_silence) list;
};

/* alerts/DECK in the state folder; made. Another deck of the same name has DECK~2. */
bool alert_folder(struct arena *arena, const struct deck *deck, const char **ret_folder,
                  struct error *err) MUST_CHECK;
/* State, silences and history of that deck go. For one that nothing watches. */
bool alert_forget(struct arena *arena, const struct deck *deck, struct error *err) MUST_CHECK;
/* Of no file: nothing. A state that cannot be read is an error, and is not overwritten. */
bool
alert_store_read(const char *folder, struct alert_store *ret_store, struct error *err) MUST_CHECK;
char *alert_store_text(struct arena *arena, const struct alert_store *store);
bool alert_store_write(const char *folder, const char *text, struct error *err) MUST_CHECK;

bool alert_silences_read(struct arena *arena, const char *folder,
                         struct alert_silences *ret_silences, struct error *err) MUST_CHECK;
/* Adds one (id NULL), or ends that one (id and nothing else), under a lock. Those whose time is
 * over are forgotten. ret_id: of the one added. */
bool alert_silences_change(struct arena *arena, const char *folder,
                           const struct alert_silence *silence, int64_t now_ms, const char **ret_id,
                           struct error *err) MUST_CHECK;
/* The one that silences the alert; NULL: none does. */
const struct alert_silence *
alert_silenced(const struct alert_silences *silences, const struct alert *alert, int64_t now_ms);

/* A line of history. */
char *alert_history_line(struct arena *arena, const struct alert_event *event, int64_t now_ms);
bool alert_history_add(const char *folder, const char *lines, struct error *err) MUST_CHECK;
/* All that there is, oldest first, as a JSON array of lines; "[]": none. */
bool alert_history_read(struct arena *arena, const char *folder, char **ret_lines,
                        struct error *err) MUST_CHECK;
