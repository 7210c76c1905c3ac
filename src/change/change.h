/* One proposed step: what an advisor says should happen and what plan shows, runs and journals.
 * A plain value in the plan's arena; strings are borrowed from that arena or constant. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "pg/connection.h"

/* Order of execution within a server: all changes of a phase before those of the next. Within a
 * phase the order in which the advisors added them. */
enum change_phase {
    CHANGE_ROLE,      /* server-wide */
    CHANGE_DATABASE,  /* server-wide: CREATE DATABASE */
    CHANGE_EXTENSION, /* from here on in a database, unless it says otherwise */
    CHANGE_TABLE,
    CHANGE_PARTITION,
    CHANGE_INDEX,
    CHANGE_VIEW,
    CHANGE_GRANT,
    CHANGE_DATABASE_SETTING, /* ALTER DATABASE / ALTER ROLE ... SET */
    CHANGE_SERVER_SETTING,   /* ALTER SYSTEM */
    CHANGE_RELOAD,
    CHANGE_RESTART,
    CHANGE_PHASES
};

enum change_action { CHANGE_CREATE, CHANGE_ALTER, CHANGE_DROP, CHANGE_RUN };

struct change;

/* What a procedure gets to work with while its change runs. */
struct change_execution {
    struct arena *arena;
    PGconn *connection; /* to change->database; of the server's conninfo when that is NULL */
    const struct pg_target *target; /* where connection leads, for a second one */
    const struct change *change;
    const char *apply_id;                           /* of the journal */
    void (*progress)(void *sink, const char *line); /* may be NULL; one short line */
    void *progress_sink;
};

/* Work that is more than a statement. Must be idempotent: it observes what is there already, so
 * that it can run again after a kill at any point. The procedure of a transactional change runs
 * inside the transaction of plan (which also has set lock_timeout and retries on 55P03); any other
 * brings its own. Static tables, one beside each advisor. */
struct change_procedure {
    const char *name;
    bool (*run)(struct change_execution *execution, struct error *err);
};

struct change {
    const char *advisor;  /* "index"; set by change_list_add's caller through the list */
    const char *server;   /* the deck's name of the server */
    const char *database; /* NULL: server-wide */
    const char *key;      /* identity for the journal: "index public.ai_tasks_pending" */
    enum change_phase phase;
    enum change_action action;
    const char *what;    /* one line: "create index ai_tasks_pending on ai_tasks" */
    const char *why;     /* one sentence, with the figures that led to it */
    const char *warning; /* NULL, or a sentence that the user must read */
    const char *drift;   /* NULL, or what somebody changed here since pgdeck's last apply, when */
    struct place place;  /* in the deck's files */
    const char *file;    /* NULL, or the configuration file that a procedure edits */
    const char *sql;     /* one statement or a script; shown and journalled; never a secret */
    const struct change_procedure *procedure; /* runs instead of sql when set */
    const void *argument;                     /* the procedure's own */
    /* Not NULL: may run, in a thread of its own, beside changes of its server and phase that have
     * another queue, and before those of its phase that have none. Not transactional. */
    const char *queue;
    const char *undo;       /* SQL that takes it back: a script when is_transactional, else exactly
                             * one statement; NULL: cannot be undone */
    const char *undo_guard; /* SQL giving one boolean, true: undo loses no data; NULL: never does */
    const char *undo_guard_database; /* where the guard runs; NULL: in the change's database */
    const char *lock; /* the strongest: "SHARE UPDATE EXCLUSIVE on ai_tasks"; NULL: none */
    /* Neighbours in the plan with the same procedure and argument are journalled one by one but
     * done together: the procedure runs once, for the first of them. Never transactional. */
    bool is_joint;
    bool is_transactional; /* not: CREATE INDEX CONCURRENTLY, CREATE DATABASE, ALTER SYSTEM ... */
    bool needs_reload;
    bool needs_restart;
    bool is_destructive; /* needs its own flag */
    bool is_revocation;  /* takes away rights that the deck does not give; needs its own flag */
    bool is_apart; /* where it fails the others are done all the same; the apply fails at its end */
    bool is_consequence; /* of another change: that it is to be done again is nobody's doing */
    /* Equality memory: after the change ran, the journal keeps `declared` (any text, e.g. a hash
     * of the deck's statement) and what `observe` (SQL giving one text: the object's canonical
     * form) returned. The next plan finds both in catalog_memo. NULL: nothing remembered. */
    const char *declared;
    const char *observe;
};

/* Something that the user should know and that no change mends: what this role may not do, what
 * this version cannot yet, what differs and is left alone. Shown under the changes. */
struct change_note {
    const char *advisor;
    const char *server;
    const char *database; /* NULL: server-wide */
    struct place place;
    const char *text; /* one or two sentences */
};

/* What is not as the deck says and pgdeck cannot put right: it may not, or something else decides.
 * Somebody else has to. A plan that has any never says that all is as it should be. */
struct change_manual {
    const char *advisor;
    const char *server;
    const char *database; /* NULL: server-wide */
    struct place place;
    const char *key;      /* "setting shared_buffers" */
    const char *what;     /* "set shared_buffers to 1200MB (now 128MB)" */
    const char *why;      /* as for a change */
    const char *drift;    /* likewise */
    const char *obstacle; /* why pgdeck does not, one phrase */
    const char *remedy;   /* what to do, one phrase */
    const char *form;     /* as whoever manages the server takes it; NULL: no form of its own */
    bool needs_restart;
};

/* The changes of one plan, in the order in which the advisors gave them. */
struct change_list {
    struct arena *arena;
    const char *advisor; /* put into each change and note that is added */
    LIST_OF(struct change) changes;
    LIST_OF(struct change_note) notes;
    LIST_OF(struct change_manual) manual;
};

/* Adds a copy of the change; asserts that server, key and what are there, and sql or procedure. */
void change_list_add(struct change_list *list, const struct change *change);
/* Likewise; asserts server, key, what, obstacle and remedy. */
void change_list_manual(struct change_list *list, const struct change_manual *manual);
void change_list_note(struct change_list *list, const char *server, const char *database,
                      struct place place, const char *format, ...) PRINTF_LIKE(5, 6);
/* Stable sort by server, then phase (database-less phases first), keeping order within. */
void change_list_sort(struct change_list *list);
const char *change_phase_name(enum change_phase phase);
const char *change_action_sign(enum change_action action); /* "+", "~", "-", ">" */
