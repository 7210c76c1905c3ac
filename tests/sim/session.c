// SPDX-License-Identifier: MIT
#include "sim/session.h"

#include "base/embed.h"
#include "sim/named.h"
#include "sim/own.h"
#include "sim/reply.h"
#include "wire/extended.h"

#include <stdio.h>

const char *const sim_setting_names[SIM_SETTINGS] = {"app.who", "work_mem", "app.start",
                                                     "application_name"};

/* --- transactions -------------------------------------------------------------------------- */

static void
open_transaction(struct sim_session *session)
{
    if (!session->is_open)
        session->before = session->state;
    session->is_open = true;
}

static void
end_transaction(struct sim_session *session, bool is_rolled_back)
{
    if (session->is_open && is_rolled_back)
        session->state = session->before;
    session->is_open = session->is_block = session->has_failed = false;
    sim_named_end_transaction(session, is_rolled_back);
    for (size_t i = 0; i < SIM_PORTALS; i++)
        session->portals[i].statement.is_used = false;
}

static void
fail(struct sim_session *session, const char *sqlstate, const char *message)
{
    sim_put_error(session, "ERROR", sqlstate, message);
    if (session->is_block)
        session->has_failed = true;
    else
        end_transaction(session, true);
    session->is_skipping = session->is_extended;
    if (session->is_extended)
        return;
    sim_put_ready(session);
}

/* --- statements ---------------------------------------------------------------------------- */

/* The text between the first quotes. */
static void
read_token(const char *sql, char token[SIM_NAME])
{
    const char *start = strchr(sql, '\'');
    const char *end = start == NULL ? NULL : strchr(start + 1, '\'');
    size_t length = end == NULL ? 0 : (size_t)(end - start - 1);

    if (length >= SIM_NAME)
        length = SIM_NAME - 1;
    if (length > 0)
        memcpy(token, start + 1, length);
    token[length] = '\0';
}

struct sim_setting *
sim_session_setting(struct sim_session *session, const char *name)
{
    for (size_t i = 0; i < SIM_SETTINGS; i++) {
        if (strcmp(sim_setting_names[i], name) == 0)
            return &session->state.settings[i];
    }
    session->fault = "a parameter that nobody has";
    return &session->state.settings[0];
}

void
sim_session_set(struct sim_session *session, const char *name, const char *value)
{
    struct sim_setting *setting = sim_session_setting(session, name);
    size_t index = (size_t)(setting - session->state.settings);

    setting->is_set = value != NULL;
    snprintf(setting->value, sizeof(setting->value), "%s",
             value == NULL ? session->start[index] : value);
}

static void
discard(struct sim_session *session)
{
    if (session->plant == SIM_PLANT_DISCARD)
        return;
    for (size_t i = 0; i < SIM_SETTINGS; i++)
        sim_session_set(session, sim_setting_names[i], NULL);
    session->state.temp_count = 0;
    session->state.channel[0] = '\0';
    session->locks = 0;
    sim_named_discard(session);
}

static bool
change_temps(struct sim_session *session, const char *name, bool is_made)
{
    struct sim_state *state = &session->state;

    for (size_t i = 0; i < state->temp_count; i++) {
        if (strcmp(state->temps[i], name) != 0)
            continue;
        if (!is_made)
            memmove(state->temps[i], state->temps[i + 1], (--state->temp_count - i) * SIM_NAME);
        return !is_made;
    }
    if (!is_made || state->temp_count == SIM_TEMPS)
        return false;
    snprintf(state->temps[state->temp_count++], SIM_NAME, "%s", name);
    return true;
}

static bool
is_begin(const char *sql)
{
    return strcmp(sql, "begin") == 0 || strncmp(sql, "BEGIN ", strlen("BEGIN ")) == 0;
}

static void
block(struct sim_session *session, const char *sql)
{
    bool is_commit = strcasecmp(sql, "commit") == 0 && !session->has_failed;

    if (is_begin(sql)) {
        session->is_block = true;
        sim_put_complete(session, "BEGIN");
        return;
    }
    end_transaction(session, !is_commit);
    sim_put_complete(session, is_commit ? "COMMIT" : "ROLLBACK");
}

/* Those that have no rows. False: it failed. */
static bool
run_utility(struct sim_session *session, const char *sql)
{
    char name[SIM_NAME], value[SIM_NAME];

    if (sscanf(sql, "set %63s = '%63[^']'", name, value) == 2) {
        sim_session_set(session, name, value);
        sim_put_complete(session, "SET");
    } else if (sscanf(sql, "reset %63s", name) == 1) {
        sim_session_set(session, name, NULL);
        sim_put_complete(session, "RESET");
    } else if (sscanf(sql, "create temp table %63s", name) == 1) {
        if (!change_temps(session, name, true)) {
            fail(session, "42P07", sql);
            return false;
        }
        sim_put_complete(session, "CREATE TABLE");
    } else if (sscanf(sql, "drop table %63s", name) == 1) {
        if (!change_temps(session, name, false)) {
            fail(session, "42P01", sql);
            return false;
        }
        sim_put_complete(session, "DROP TABLE");
    } else if (sscanf(sql, "listen %63s", name) == 1 || strcmp(sql, "unlisten *") == 0) {
        snprintf(session->state.channel, SIM_NAME, "%s", sql[0] == 'l' ? name : "");
        sim_put_complete(session, sql[0] == 'l' ? "LISTEN" : "UNLISTEN");
    } else if (sscanf(sql, "notify %63s", name) == 1) {
        snprintf(session->state.notified, SIM_NAME, "%s", name);
        sim_put_complete(session, "NOTIFY");
    } else if (strcmp(sql, "RESET ALL") == 0) {
        sim_put_complete(session, "RESET"); /* DISCARD ALL comes behind it */
    } else if (strcmp(sql, "DISCARD ALL") == 0) {
        discard(session);
        sim_put_complete(session, "DISCARD ALL");
    } else if (strncmp(sql, "notice", 6) == 0) {
        sim_put_error(session, "NOTICE", "00000", sql);
        sim_put_complete(session, "NOTICE");
    } else {
        session->fault = "a statement that nobody has sent";
    }
    return true;
}

static void
run_rows(struct sim_session *session, const char *sql, const char *token, const char *parameter)
{
    struct sim_portal whole = {0};
    struct sim_portal *portal = session->executed == NULL ? &whole : session->executed;
    unsigned end = strncmp(sql, "rows", 4) == 0 ? SIM_ROWS : 1, rows = 0;
    bool is_stale = session->plant == SIM_PLANT_ROW && ++session->answers % 8 == 0;
    char tag[32];

    if (session->plant == SIM_PLANT_PORTAL)
        portal->position = 0;
    if (strncmp(sql, "select pg_advisory_lock", 23) == 0)
        session->locks += portal->position == 0;
    else if (strncmp(sql, "select pg_advisory_unlock_all", 29) == 0)
        session->locks = 0;
    if (!session->is_extended)
        sim_put_columns(session);
    for (; portal->position < end && (portal->limit == 0 || rows < portal->limit); rows++)
        sim_put_numbered(session, is_stale ? session->last_token : token, portal->position++,
                         parameter);
    snprintf(session->last_token, SIM_NAME, "%s", token);
    if (portal->limit > 0 && rows == portal->limit) {
        sim_put_empty(session, 's');
        return;
    }
    snprintf(tag, sizeof(tag), "SELECT %u", rows);
    sim_put_complete(session, tag);
}

static bool
is_exit(const char *sql)
{
    return strcasecmp(sql, "commit") == 0 || strcmp(sql, "rollback") == 0;
}

/* False: it failed, or goes on later. */
static bool
run_sql(struct sim_session *session, const char *sql, const char *parameter)
{
    char token[SIM_NAME];
    bool is_end = is_exit(sql);
    const char *sqlstate;

    if (session->has_failed && !is_end) {
        fail(session, "25P02", "current transaction is aborted");
        return false;
    }
    open_transaction(session);
    const char *inner = sim_named_resolve(session, sql);
    if (inner == NULL || strncmp(sql, "fail", 4) == 0) {
        fail(session, inner == NULL ? "26000" : "22012", sql);
        return false;
    }
    sql = inner;
    read_token(sql, token);
    if (is_end || is_begin(sql)) {
        block(session, sql);
    } else if (strncmp(sql, "slow", 4) == 0 || strncmp(sql, "copy t from", 11) == 0) {
        memcpy(session->token, token, sizeof(token));
        session->is_slow = sql[0] == 's';
        session->is_copying = sql[0] == 'c';
        session->copied = 0;
        if (session->is_copying)
            sim_put_copy(session, 'G');
        return false;
    } else if (strncmp(sql, "copy t to", 9) == 0) {
        sim_put_copy_out(session, token);
    } else if (sim_named_run(session, sql, &sqlstate)) {
        if (sqlstate != NULL)
            fail(session, sqlstate, sql);
        return sqlstate == NULL;
    } else if (sim_named_has_rows(session, sql)) {
        run_rows(session, sql, token, parameter);
    } else {
        return run_utility(session, sql);
    }
    return true;
}

void
sim_session_end_slow(struct sim_session *session, bool is_cancelled)
{
    session->is_slow = false;
    if (is_cancelled) {
        fail(session, "57014", "canceling statement due to user request");
    } else {
        run_rows(session, "slow", session->token, "");
        if (!session->is_extended) {
            if (!session->is_block)
                end_transaction(session, false);
            sim_put_ready(session);
        }
    }
    sim_session_run(session);
}

/* --- messages ------------------------------------------------------------------------------ */

static void
query(struct sim_session *session, const uint8_t *body)
{
    session->is_extended = false;
    session->statements[0].is_used = false;
    session->portals[0].statement.is_used = false;
    session->executed = NULL;
    if (!run_sql(session, (const char *)body, ""))
        return;
    if (!session->is_block)
        end_transaction(session, false);
    sim_put_ready(session);
}

static void
parse(struct sim_session *session, const uint8_t *body, size_t count)
{
    struct wire_parse parsed;

    if (!wire_read_parse(body, count, &parsed)) {
        session->fault = "a malformed Parse";
        return;
    }
    if (parsed.name[0] == '\0') /* the old one is gone, whatever comes of the new one */
        session->statements[0].is_used = false;
    if (session->has_failed && !is_exit(parsed.sql)) {
        fail(session, "25P02", "current transaction is aborted");
        return;
    }
    struct sim_statement *statement = sim_named_statement(session, parsed.name, true);
    if (statement == NULL) {
        session->fault = "more statements than there is room for";
        return;
    }
    if (parsed.name[0] != '\0' && statement->is_used) {
        fail(session, "42P05", "prepared statement already exists");
        return;
    }
    open_transaction(session);
    *statement = (struct sim_statement){.is_used = true};
    if (strcmp(parsed.sql, embedded_file("pool/sql/pool_probe.sql")->text) == 0)
        statement->kind = SIM_PROBE;
    else if (strcmp(parsed.sql, embedded_file("pool/sql/pool_restore.sql")->text) == 0)
        statement->kind = SIM_RESTORE;
    else if (strcmp(parsed.sql, embedded_file("pool/sql/pool_startup.sql")->text) == 0)
        statement->kind = SIM_STARTUP;
    snprintf(statement->name, sizeof(statement->name), "%s", parsed.name);
    snprintf(statement->sql, sizeof(statement->sql), "%s", parsed.sql);
    sim_put_empty(session, '1');
}

/* There are two: the unnamed one, and the one that has a name. NULL: it is not there. */
static struct sim_portal *
find_portal(struct sim_session *session, const char *name)
{
    struct sim_portal *portal = &session->portals[name[0] != '\0'];

    return portal->statement.is_used ? portal : NULL;
}

static void
bind_portal(struct sim_session *session, const uint8_t *body, size_t count)
{
    struct wire_bind names;

    if (!wire_read_bind(body, count, true, &names)) {
        session->fault = "a malformed Bind";
        return;
    }
    const struct sim_statement *statement = sim_named_statement(session, names.statement, false);
    if (statement == NULL) {
        fail(session, "26000", "prepared statement does not exist");
        return;
    }
    if (session->has_failed && !is_exit(statement->sql)) {
        fail(session, "25P02", "current transaction is aborted");
        return;
    }
    struct sim_portal *portal = &session->portals[names.portal[0] != '\0'];
    if (names.portal[0] != '\0' && portal->statement.is_used) {
        fail(session, "42P03", "portal already exists");
        return;
    }
    open_transaction(session);
    portal->statement = *statement;
    portal->position = 0;
    portal->is_done = false;
    portal->bound.count = 0;
    sim_bytes_add(&portal->bound, body + names.names_bytes, count - names.names_bytes);
    sim_put_empty(session, '2');
}

static void
describe(struct sim_session *session, const uint8_t *body, size_t count)
{
    struct wire_target target;
    const struct sim_statement *statement = NULL;
    const struct sim_portal *portal = NULL;

    if (!wire_read_target(body, count, &target))
        session->fault = "a malformed Describe";
    else if (target.kind == 'P' && (portal = find_portal(session, target.name)) != NULL)
        statement = &portal->statement;
    else if (target.kind == 'S')
        statement = sim_named_statement(session, target.name, false);
    if (statement == NULL) {
        fail(session, "26000", "nothing to describe");
        return;
    }
    if (session->has_failed && target.kind == 'S') {
        fail(session, "25P02", "current transaction is aborted");
        return;
    }
    if (target.kind == 'S') {
        struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);
        wire_begin(&writer, 't');
        wire_put_uint16(&writer, 0);
        wire_end(&writer);
        sim_bytes_end(&session->out, &writer);
    }
    if (sim_named_has_rows(session, statement->sql))
        sim_put_columns(session);
    else
        sim_put_empty(session, 'n');
}

static void
run_portal(struct sim_session *session, struct sim_portal *portal)
{
    const struct sim_statement statement = portal->statement; /* COMMIT ends the portal */
    struct sim_bound *bound = calloc(1, sizeof(*bound));

    if (bound == NULL)
        abort();
    sim_own_bound(&portal->bound, bound);
    session->executed = portal;
    portal->is_done = !sim_named_has_rows(session, statement.sql);
    if (statement.kind == SIM_PROBE)
        sim_own_probe(session, bound);
    else if (statement.kind == SIM_RESTORE || statement.kind == SIM_STARTUP)
        sim_own_restore(session, bound, statement.kind == SIM_STARTUP);
    else
        (void)run_sql(session, statement.sql, bound->items[0]);
    free(bound);
}

static void
execute(struct sim_session *session, const uint8_t *body, size_t count)
{
    const char *name;

    if (!wire_read_execute(body, count, &name)) {
        session->fault = "a malformed Execute";
        return;
    }
    struct sim_portal *portal = find_portal(session, name);
    if (portal == NULL || portal->is_done) {
        fail(session, portal == NULL ? "34000" : "55000", "portal cannot be run");
        return;
    }
    portal->limit = wire_uint32(body + count - sizeof(uint32_t));
    run_portal(session, portal);
}

static void
close_target(struct sim_session *session, const uint8_t *body, size_t count)
{
    struct wire_target target;
    struct sim_statement *statement = NULL;

    if (!wire_read_target(body, count, &target))
        session->fault = "a malformed Close";
    else if (target.kind == 'S')
        statement = sim_named_statement(session, target.name, false);
    else if (find_portal(session, target.name) != NULL)
        statement = &find_portal(session, target.name)->statement;
    if (statement != NULL)
        statement->is_used = false;
    sim_put_empty(session, '3');
}

static void
copy_step(struct sim_session *session, uint8_t type, const uint8_t *body, size_t count)
{
    char tag[32];

    if (type == 'd') {
        session->copied++;
        if (count != strlen(session->token) || memcmp(body, session->token, count) != 0)
            session->fault = "data of a COPY that is another's";
        return;
    }
    if (type == 'S' || type == 'H')
        return;
    session->is_copying = false;
    if (type != 'c') {
        if (type != 'f')
            session->fault = "something else within a COPY";
        fail(session, "57014", "COPY failed");
        return;
    }
    snprintf(tag, sizeof(tag), "COPY %zu", session->copied);
    sim_put_complete(session, tag);
    if (!session->is_block)
        end_transaction(session, false);
    sim_put_ready(session);
}

static void
handle(struct sim_session *session, uint8_t type, const uint8_t *body, size_t count)
{
    if (type == 'X') {
        session->has_ended = true;
    } else if (session->is_copying) {
        copy_step(session, type, body, count);
    } else if (type == 'S') {
        if (!session->is_block)
            end_transaction(session, false);
        session->is_skipping = false;
        sim_put_ready(session);
    } else if (session->is_skipping || type == 'd' || type == 'c' || type == 'f') {
        return;
    } else if (type == 'Q') {
        query(session, body);
    } else if (type == 'H') {
        session->visible = session->out.count;
    } else {
        session->is_extended = true;
        if (type == 'P')
            parse(session, body, count);
        else if (type == 'B')
            bind_portal(session, body, count);
        else if (type == 'D')
            describe(session, body, count);
        else if (type == 'E')
            execute(session, body, count);
        else if (type == 'C')
            close_target(session, body, count);
    }
}

void
sim_session_run(struct sim_session *session)
{
    struct wire_header header;

    while (!session->is_slow && !session->has_ended && session->fault == NULL) {
        enum wire_result result =
            wire_read_header(session->in.items, session->in.count, WIRE_FROM_CLIENT, &header);
        size_t whole = WIRE_HEADER_BYTES + header.body_bytes;
        if (result == WIRE_BAD)
            session->fault = "bytes that are no message";
        if (result != WIRE_WHOLE || session->in.count < whole)
            return;
        handle(session, header.type, session->in.items + WIRE_HEADER_BYTES, header.body_bytes);
        sim_bytes_drop(&session->in, whole);
    }
}

/* --- beginning and end --------------------------------------------------------------------- */

void
sim_session_init(struct sim_session *session, uint32_t process, enum sim_plant plant)
{
    *session = (struct sim_session){.process = process, .plant = plant};
    for (size_t i = 0; i < SIM_SETTINGS; i++)
        session->state.settings[i].name = sim_setting_names[i];
}

void
sim_session_release(struct sim_session *session)
{
    sim_bytes_release(&session->in);
    sim_bytes_release(&session->out);
    for (size_t i = 0; i < SIM_PORTALS; i++)
        sim_bytes_release(&session->portals[i].bound);
}

void
sim_session_start(struct sim_session *session, size_t setting, const char *value)
{
    snprintf(session->start[setting], SIM_NAME, "%s", value);
    snprintf(session->state.settings[setting].value, SIM_NAME, "%s", value);
}

void
sim_session_greet(struct sim_session *session)
{
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    session->has_started = true;
    snprintf(session->told, SIM_NAME, "%s", session->state.settings[SIM_APPLICATION].value);
    wire_put_authentication(&writer, 0, NULL, 0);
    wire_put_parameter(&writer, "client_encoding", "UTF8");
    wire_put_parameter(&writer, "standard_conforming_strings", "on");
    wire_put_parameter(&writer, sim_setting_names[SIM_APPLICATION], session->told);
    wire_put_key(&writer, session->process, session->process);
    wire_put_ready(&writer, 'I');
    sim_bytes_end(&session->out, &writer);
    session->visible = session->out.count;
}
