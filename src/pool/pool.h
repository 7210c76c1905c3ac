/* The pool itself: what its parts (client, server, group, session ...) share. One worker, one
 * thread, one loop; nothing here waits, and nothing here knows sockets: streams and new connections
 * come from a driver, which tests replace. Objects that end are put on a list and freed when the
 * event is over, so that a function may go on with what it has; everyone asks is_closed first. */
#pragma once
#include "pool/share.h"
#include "pool/state.h"
#include "pool/waiting.h"
#include "wire/startup.h"

/* --- pool.c -------------------------------------------------------------------------------- */

bool pool_init(struct pool *pool, struct pool_driver *driver, struct pool_config *config,
               uint64_t now_us, struct error *err) MUST_CHECK;
void pool_release(struct pool *pool);
/* Another configuration, which the pool now owns. */
void pool_configure(struct pool *pool, struct pool_config *config);
/* A stream can be read, written, or has ended. Idle servers first: see daemon.c. */
void pool_stream_event(struct pool *pool, struct net_stream *stream, bool is_writable);
/* Looks after time: deadlines, sizes. Gives the milliseconds until it wants to be called again. */
int pool_tick(struct pool *pool, uint64_t now_us);
/* Frees what has ended. Between events only. */
void pool_sweep(struct pool *pool);
/* No new clients or transactions; ends when nothing is left or after timeout_ms. */
void pool_stop(struct pool *pool, int timeout_ms);
void pool_log(struct pool *pool, const char *format, ...) PRINTF_LIKE(2, 3);
/* The state of a client's SCRAM login, cleared; the last one is kept, so that logins do not leave
 * holes between what stays. NULL: no memory. */
struct wire_scram *pool_scram_take(struct pool *pool);
void pool_scram_drop(struct pool *pool, struct wire_scram *scram); /* NULL: nothing */
void pool_config_keep(struct pool_config *config);
void pool_config_drop(struct pool_config *config);
/* Sets a fault with an SQLSTATE; returns false. */
bool pool_fault(struct error *err, const char *sqlstate, const char *format, ...) PRINTF_LIKE(3, 4);

/* A number for a client or server that no other has, in any thread. */
uint64_t pool_new_serial(struct pool *pool);
/* Does it to the pool of each thread; from worker 0 only. */
void pool_visit_all(struct pool *pool, pool_visit *visit, void *context);

/* --- move.c -------------------------------------------------------------------------------- */

/* Its start-up, which stays unread, is for the pool of another thread: true, and it is on its way
 * there. */
bool pool_client_move(struct pool_client *client, const struct wire_startup *startup);
/* Out of this pool, once its stream has left the loop; what was received is read. False: it had to
 * be closed. */
bool pool_client_depart(struct pool_client *client) MUST_CHECK;
/* In this pool; its stream has not joined the loop yet. */
void pool_client_arrive(struct pool *pool, struct pool_client *client);
/* The same for a server that is LEAVING; what is shared by texts goes as copies. */
bool pool_server_depart(struct pool_server *server) MUST_CHECK;
/* False: its pool is there no more; it must be dropped. */
bool pool_server_arrive(struct pool *pool, struct pool_server *server) MUST_CHECK;
/* Its stream has joined the loop: it is idle here. */
void pool_server_settle_in(struct pool_server *server);
/* A server or client that is in no pool, and whose stream is closed: freed. */
void pool_object_drop(struct pool_object *object, struct pool_driver *driver);
/* The process number of its cancel key tells whose it is. */
uint32_t pool_client_process_number(const struct pool_client *client);

/* --- client.c, client_login.c, client_message.c -------------------------------------------- */

/* A new client, whose stream is then attached by the caller: client->link.stream. NULL: no memory.
 */
struct pool_client *pool_client_new(struct pool *pool, const struct sockaddr_storage *address);
/* Goes on with what can be done: reads, handles, forwards. */
void pool_client_process(struct pool_client *client);
/* Tells it why (FATAL) and lets it go; its server goes by the check-in rule. */
void pool_client_fail(struct pool_client *client, const struct error *err);
/* It waits for a server, and gets none: an ERROR in place of what it asked for, and it goes on. */
void pool_client_give_up(struct pool_client *client, const struct error *err);
/* It has gone, or must go without a word. */
void pool_client_close(struct pool_client *client);
bool pool_client_is_open(const struct pool_client *client);
void pool_client_flush(struct pool_client *client);
/* It may have gone: tells it a known parameter, ever less often, so that the network says so. */
void pool_client_knock(struct pool_client *client);
/* Handles what is at the front of in while it logs in; false: more bytes are needed. */
bool pool_client_login_step(struct pool_client *client);
/* What a server says of a client's verifier. */
void pool_client_found(struct pool *pool, const struct pool_lookup_answer *answer);
/* Login is over: parameters, key, ready. */
void pool_client_welcome(struct pool_client *client);
/* The same for one that waited for a server to tell its parameters. */
void pool_client_welcome_by(struct pool_client *client, const struct pool_server *server);
/* Handles one message of a client that has a server; false: more bytes are needed, or it must
 * wait. */
bool pool_client_forward_step(struct pool_client *client);
void pool_client_put_ready(struct pool_client *client, char status);
void
pool_client_put_error(struct pool_client *client, const char *severity, const struct error *err);

/* --- server.c, server_login.c -------------------------------------------------------------- */

/* Starts a connection for the group; false: it could not even begin (err). */
bool pool_server_start(struct pool_group *group, struct error *err) MUST_CHECK;
void pool_server_process(struct pool_server *server);
void pool_server_writable(struct pool_server *server);
/* Ends the connection; reason NULL: in order. Its client, if any, is told. */
void pool_server_close(struct pool_server *server, const struct error *reason);
/* Handles a message while logging in. */
void pool_server_login_message(struct pool_server *server, uint8_t type, const uint8_t *body,
                               size_t count);
/* ParameterStatus; false: it cannot be taken. */
bool pool_server_take_parameter(struct pool_server *server, const uint8_t *body, size_t count);
/* Sends a message of the pool's own and notes what is owed for it. */
bool pool_server_send(struct pool_server *server, const struct wire_writer *writer);
bool pool_server_owe(struct pool_server *server, enum pool_owed_kind kind, bool is_hidden,
                     uint32_t statement);
/* The Parse noted last is the client's own, by that name of it: its answer is not hidden. */
void pool_server_reveal(struct pool_server *server, uint32_t name, uint32_t key);
/* What was owed has come: the past is over. */
void pool_server_confirm(struct pool_server *server, const struct pool_owed *owed);
bool pool_server_is_open(const struct pool_server *server);
/* Gives answers that are the pool's own while they are first in the queue. */
void pool_server_settle(struct pool_server *server);

/* --- group.c ------------------------------------------------------------------------------- */

struct pool_group *pool_group_find(struct pool *pool, const char *database, const char *user);
bool pool_group_new(struct pool *pool, struct pool_config *config, const struct pool_route *route);
void pool_group_free(struct pool_group *group);
/* Gives the client a server, now or later. */
void pool_group_want(struct pool_client *client);
/* The server has its client's session: the client may go on. */
void pool_group_start(struct pool_server *server);
/* Gives free servers to those who wait; starts connections. */
void pool_group_serve(struct pool_group *group);
/* The server is free of its client: the check-in rule has said so. */
void pool_group_take_back(struct pool_server *server);
void pool_group_tick(struct pool_group *group);
/* Out of the list of idle ones, if it is there. */
void pool_group_leave_idle(struct pool_server *server);
/* Servers that were begun so far are replaced. */
void pool_group_outdate(struct pool_group *group);
/* Applies the check-in rule to the client's server. */
void pool_group_checkin(struct pool_server *server, bool is_client_gone);

/* --- query_report.c ------------------------------------------------------------------------ */

/* A client's query goes to its server, which may be its first. */
void pool_query_begin(struct pool_server *server, uint64_t hash, const char *text, size_t length);
/* The first that is owed is answered, with an error or without. */
void pool_query_end(struct pool_server *server, uint64_t hash);
/* The server's client has left it after that time. */
void pool_query_leave(struct pool_server *server, uint64_t duration_us);
/* What is owed from now on begins now, and behind what was read and sent. */
void pool_query_mark(struct pool_server *server);

/* --- local.c ------------------------------------------------------------------------------- */

/* The server has logged in: whether it has a unix socket here. */
void pool_local_look(struct pool_server *server);
bool pool_local_is_same(const struct pool_server *server);
/* A connection by the unix socket did not come to be. */
void pool_local_failed(struct pool_server *server, const struct error *reason);

/* --- session.c ----------------------------------------------------------------------------- */

/* Makes the server's session the client's; true: it is already. */
bool pool_session_setup(struct pool_server *server);
/* Gives the session what RESET took of its client's start-up, in session mode. */
void pool_session_restart(struct pool_server *server);
/* Asks what the session holds. */
void pool_session_probe(struct pool_server *server);
/* DISCARD ALL, with nobody waiting. */
void pool_session_reset(struct pool_server *server);
/* A row of the probe. */
bool pool_session_row(struct pool_server *server, const uint8_t *body, size_t count);
/* All that was hidden is answered: what now. */
void pool_session_done(struct pool_server *server);
/* A statement prepared by SQL could not be made for the client, or dropped: see put_query. */
void pool_session_refused(struct pool_server *server, uint32_t statement);
/* Statements of this text were sent. */
void pool_session_note(struct pool_client *client, const struct pool_sql *sql);
/* What keeps the client at its server, in words. */
const char *pool_session_pins(unsigned pins, char *text, size_t size);

/* --- cancel.c ------------------------------------------------------------------------------ */

/* A client's request by key; unknown keys are passed over. */
void pool_cancel_request(struct pool *pool, const uint8_t *key, size_t key_bytes);
/* Cancels what the server runs. */
void pool_cancel_server(struct pool_server *server);
void pool_cancel_event(struct pool_cancel *cancel);
void pool_cancel_close(struct pool_cancel *cancel);
void pool_cancel_forget(struct pool_server *server);

/* --- console.c ----------------------------------------------------------------------------- */

bool pool_console_is_database(const char *name);
bool pool_console_step(struct pool_client *client);
/* A held one asks anew; or it has enough of waiting. */
void pool_console_tick(struct pool_client *client);
void pool_console_cancel(struct pool_client *client);
const char *pool_client_state_name(enum pool_client_state state);
const char *pool_server_state_name(enum pool_server_state state);
