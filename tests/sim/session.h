/* A small PostgreSQL: one session's state machine, bytes in, bytes out. It stands behind the pool
 * as a server, and beside each client as what that client would have seen without a pool. Its
 * answers hold all that the session has (parameters, temporary tables, locks), so that what is
 * another's shows. Statements, by their first words: select 'token'; rows 'token'; notice 'token';
 * fail 'token'; slow 'token'; begin; commit; rollback; set name = 'value'; reset name; create temp
 * table x; drop table x; discard all; select pg_advisory_lock('token'); select
 * pg_advisory_unlock_all(); copy t from stdin 'token'; copy t to stdout 'token'; listen x; notify
 * x; unlisten *; prepare x as ...; execute x; deallocate x; deallocate all; declare x cursor [with
 * hold] for rows 'token'; fetch n from x; close x */
#pragma once
#include "sim/bytes.h"

enum {
    SIM_NAME = 64,
    SIM_SQL = 160,
    SIM_SETTINGS = 4,
    SIM_TEMPS = 8,
    SIM_STATEMENTS = 64,
    SIM_CURSORS = 4,
    SIM_PORTALS = 2,
};

/* Faults that are planted, to show that they are found. */
enum sim_plant {
    SIM_PLANT_NONE,
    SIM_PLANT_DISCARD,   /* DISCARD ALL does nothing: as if the pool did not clean */
    SIM_PLANT_RESTORE,   /* parameters are not set: as if the pool did not carry them */
    SIM_PLANT_CANCEL,    /* a cancel request stops another session */
    SIM_PLANT_ROW,       /* now and then the row before */
    SIM_PLANT_LISTEN,    /* the pool is not told of LISTEN: as if it pinned nobody for it */
    SIM_PLANT_TURNS,     /* one user comes as the other: as if users took no turns */
    SIM_PLANT_BLOCK,     /* transaction pooling: as if statement pooling let transactions be */
    SIM_PLANT_PROOF,     /* who has no password has it: as if no proof was looked at */
    SIM_PLANT_PREPARE,   /* the pool is not told of PREPARE: as if it did not carry statements */
    SIM_PLANT_CURSOR,    /* nor of cursors WITH HOLD: as if it pinned nobody for them */
    SIM_PLANT_PORTAL,    /* a portal begins anew: as if another had been executed between */
    SIM_PLANT_PAUSE,     /* PAUSE is forgotten */
    SIM_PLANT_RELOAD,    /* RELOAD does not change the size */
    SIM_PLANT_RECONNECT, /* which servers are from before RECONNECT is forgotten */
    SIM_PLANT_MODE,      /* RELOAD changes the mode of clients that are in */
    SIM_PLANTS
};

struct sim_setting {
    const char *name;
    bool is_set; /* explicitly, in this session */
    char value[SIM_NAME];
};

struct sim_state { /* what a rollback takes back */
    struct sim_setting settings[SIM_SETTINGS];
    char temps[SIM_TEMPS][SIM_NAME];
    size_t temp_count;
    char channel[SIM_NAME], notified[SIM_NAME]; /* LISTEN; NOTIFY of this transaction; "": none */
};

enum sim_kind { SIM_SQL_TEXT, SIM_PROBE, SIM_RESTORE, SIM_STARTUP };

struct sim_statement {
    bool is_used;
    enum sim_kind kind;
    char name[SIM_NAME], sql[SIM_SQL];
    char prepare[SIM_SQL]; /* what made it, when that was SQL; "": the protocol */
};

struct sim_cursor {
    char name[SIM_NAME], token[SIM_NAME];
    unsigned position;
    bool is_holdable, is_committed;
};

struct sim_portal {
    struct sim_statement statement;
    char name[SIM_NAME];
    struct sim_bytes bound;   /* the parameters, as in Bind */
    unsigned limit, position; /* rows of this Execute, so far; limit 0: all */
    bool is_done;
};

struct sim_session {
    struct sim_bytes in, out;
    size_t visible; /* of out: what was flushed */
    struct sim_state state, before;
    bool is_open;  /* a transaction, also an implicit one */
    bool is_block; /* by BEGIN */
    bool has_failed, is_skipping;
    bool is_copying, is_slow, is_extended;
    bool has_started, has_ended;
    int locks;
    char token[SIM_NAME]; /* of what is copied or slow */
    size_t copied;
    struct sim_statement statements[SIM_STATEMENTS]; /* the first is the unnamed one */
    struct sim_portal portals[SIM_PORTALS];          /* likewise */
    struct sim_portal *executed;                     /* NULL: a simple query */
    struct sim_cursor cursors[SIM_CURSORS];
    size_t cursor_count;
    char told[SIM_NAME]; /* application_name, as reported */
    char start[SIM_SETTINGS][SIM_NAME];
    uint32_t process;
    enum sim_plant plant;
    char last_token[SIM_NAME];
    unsigned answers;
    const char *fault; /* what no client has sent */
};

void sim_session_init(struct sim_session *session, uint32_t process, enum sim_plant plant);
void sim_session_release(struct sim_session *session);
/* What the start-up gives; settings are in the order of sim_setting_names. */
extern const char *const sim_setting_names[SIM_SETTINGS];
enum { SIM_WHO, SIM_WORK_MEM, SIM_START, SIM_APPLICATION };
void sim_session_start(struct sim_session *session, size_t setting, const char *value);
/* AuthenticationOk up to ReadyForQuery. */
void sim_session_greet(struct sim_session *session);
/* Handles what is in in, as far as it goes. */
void sim_session_run(struct sim_session *session);
/* Another session notifies the channel that it listens to, if it is idle. */
void sim_session_notify(struct sim_session *session);
/* The slow statement ends. */
void sim_session_end_slow(struct sim_session *session, bool is_cancelled);
/* Of the parts of a session: a parameter of its state; value NULL: as at the start. */
struct sim_setting *sim_session_setting(struct sim_session *session, const char *name);
void sim_session_set(struct sim_session *session, const char *name, const char *value);
char sim_session_status(const struct sim_session *session);
