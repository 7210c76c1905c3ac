/* Connections to PostgreSQL through libpq, for everything but the pool's data path.
 * Every session: search_path = pg_catalog, pg_temp; UTC; UTF8; lock_timeout; application_name.
 * Waiting is interruptible: Ctrl-C cancels the running statement (ERROR_INTERRUPTED).
 * One thread a connection. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <libpq-fe.h>

/* Where to connect; conninfo as libpq reads it. Strings are borrowed. */
struct pg_target {
    const char *conninfo;
    const char *database;      /* overrides the conninfo's dbname; NULL: as the conninfo says */
    const char *password_file; /* file whose first line is the password; NULL: libpq's own ways */
    struct place place;        /* of the conninfo in the deck, put into errors */
    bool is_application; /* the session that an application would get: search_path, timeouts and
                          * all else as database and role say; only output formats are fixed */
};

static inline void
pg_result_cleanup(PGresult **result)
{
    PQclear(*result);
}
static inline void
pg_connection_cleanup(PGconn **connection)
{
    PQfinish(*connection);
}
#define AUTO_PGRESULT __attribute__((cleanup(pg_result_cleanup))) PGresult *
#define AUTO_PGCONN __attribute__((cleanup(pg_connection_cleanup))) PGconn *

/* Connects and prepares the session. Errors: ERROR_UNREACHABLE, ERROR_AUTHENTICATION,
 * ERROR_NO_DATABASE, ERROR_SERVER_VERSION (older than 14), ERROR_PRIVILEGE. */
bool
pg_connect(const struct pg_target *target, PGconn **ret_connection, struct error *err) MUST_CHECK;

/* 0: as many as can be, and as long as pg_connect() waits. */
struct pg_connecting {
    size_t parallel; /* connections being made at a time */
    int timeout_ms;  /* for these, of which at most 64 */
};

/* Connects to count targets side by side. A target that fails has connections[i] NULL and errors[i]
 * set; the call fails only when interrupted. */
bool pg_connect_all(const struct pg_target *targets, size_t count, const struct pg_connecting *how,
                    PGconn **connections, struct error *errors, struct error *err) MUST_CHECK;

/* Runs one or more statements by the simple protocol and throws the rows away. */
bool pg_execute(PGconn *connection, const char *sql, struct error *err) MUST_CHECK;

/* Runs one statement with text parameters; ret_result: PGRES_TUPLES_OK or PGRES_COMMAND_OK. */
bool pg_query(PGconn *connection, const char *sql, int parameter_count,
              const char *const *parameters, PGresult **ret_result, struct error *err) MUST_CHECK;

/* Prepares one statement. types: OIDs of its parameters, 0 where the server is to find out.
 * ret_position (NULL: not wanted), set on failure: the faulty character of sql, from 1; 0 = none.
 */
bool pg_prepare(PGconn *connection, const char *name, const char *sql, int parameter_count,
                const Oid *types, int *ret_position, struct error *err) MUST_CHECK;
/* Sends a prepared statement with text parameters and returns; pg_receive gives its rows. In
 * between, other connections may be served. */
bool pg_send_prepared(PGconn *connection, const char *name, int parameter_count,
                      const char *const *parameters, struct error *err) MUST_CHECK;
bool pg_receive(PGconn *connection, PGresult **ret_result, struct error *err) MUST_CHECK;
/* Sends statements by the simple protocol and returns; pg_wait and then pg_receive end it. */
bool pg_send(PGconn *connection, const char *sql, struct error *err) MUST_CHECK;
/* Waits until what was sent has an answer, at most timeout_ms; an interruption counts as one:
 * pg_receive then cancels the statement. */
bool pg_wait(PGconn *connection, int timeout_ms, bool *ret_is_ready, struct error *err) MUST_CHECK;

/* One statement of a batch and where its result goes. */
struct pg_statement {
    const char *sql;
    int parameter_count;
    const char *const *parameters;
    PGresult *result; /* owned by the caller after pg_query_batch */
};
/* Sends all statements in one pipeline, i.e. in one round trip and one implicit transaction,
 * on each of count connections at once (NULL ones are passed over); batches[i] has
 * statement_count statements. On failure no result is left. */
bool pg_query_batch(PGconn *const *connections, struct pg_statement *const *batches, size_t count,
                    size_t statement_count, struct error *errors, struct error *err) MUST_CHECK;

/* Reads the fault of a result or, without one, of the connection into err; returns false. */
bool pg_fault(PGconn *connection, const PGresult *result, struct error *err);
/* ERROR_* for a five-character SQLSTATE. */
enum error_code pg_error_code(const char *sqlstate);

/* Value of a cell; NULL for an SQL null. Lives as long as the result. */
const char *pg_value(const PGresult *result, int row, const char *column);
/* The same, kept in the arena; pg_keep_text: with "" for an SQL null. */
const char *pg_keep(struct arena *arena, const PGresult *result, int row, const char *column);
const char *pg_keep_text(struct arena *arena, const PGresult *result, int row, const char *column);
bool pg_bool(const PGresult *result, int row, const char *column);         /* null: false */
long long pg_integer(const PGresult *result, int row, const char *column); /* null: 0 */

/* Quoted for SQL, always in quotes where PostgreSQL's quote_ident would. NUL cannot occur; length
 * and encoding are checked where names are read (deck). */
char *pg_identifier(struct arena *arena, const char *name);
char *pg_qualified(struct arena *arena, const char *schema, const char *name);
char *pg_literal(struct arena *arena, const char *text);

/* The items of a text[] in its output form, e.g. {a,"b c"}; count 0 for NULL. */
size_t pg_array(struct arena *arena, const char *array, char ***ret_items);
