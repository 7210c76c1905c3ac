// SPDX-License-Identifier: MIT
#include "sim/named.h"

#include "sim/reply.h"

#include <stdio.h>

/* --- statements ---------------------------------------------------------------------------- */

struct sim_statement *
sim_named_statement(struct sim_session *session, const char *name, bool is_new)
{
    struct sim_statement *statements = session->statements;

    if (name[0] == '\0')
        return is_new || statements[0].is_used ? &statements[0] : NULL;
    for (size_t i = 1; i < SIM_STATEMENTS; i++) {
        if (statements[i].is_used && strcmp(statements[i].name, name) == 0)
            return &statements[i];
    }
    for (size_t i = 1; i < SIM_STATEMENTS && is_new; i++) {
        if (!statements[i].is_used)
            return &statements[i];
    }
    return NULL;
}

static const char *
prepare(struct sim_session *session, const char *sql, const char *name, const char *inner)
{
    struct sim_statement *statement = sim_named_statement(session, name, true);

    if (statement == NULL) {
        session->fault = "more statements than there is room for";
        return NULL;
    }
    if (statement->is_used)
        return "42P05";
    *statement = (struct sim_statement){.is_used = true};
    snprintf(statement->name, SIM_NAME, "%s", name);
    snprintf(statement->sql, SIM_SQL, "%s", inner);
    snprintf(statement->prepare, SIM_SQL, "%s", sql);
    sim_put_complete(session, "PREPARE");
    return NULL;
}

static const char *
deallocate(struct sim_session *session, const char *name)
{
    struct sim_statement *statement = sim_named_statement(session, name, false);

    if (statement == NULL)
        return "26000";
    statement->is_used = false;
    sim_put_complete(session, "DEALLOCATE");
    return NULL;
}

static void
deallocate_all(struct sim_session *session)
{
    for (size_t i = 1; i < SIM_STATEMENTS; i++)
        session->statements[i].is_used = false;
}

const char *
sim_named_resolve(struct sim_session *session, const char *sql)
{
    char name[SIM_NAME];

    if (sscanf(sql, "execute %63s", name) != 1)
        return sql;
    const struct sim_statement *statement = sim_named_statement(session, name, false);
    return statement == NULL ? NULL : statement->sql;
}

/* --- cursors ------------------------------------------------------------------------------- */

static struct sim_cursor *
find_cursor(struct sim_session *session, const char *name)
{
    for (size_t i = 0; i < session->cursor_count; i++) {
        if (strcmp(session->cursors[i].name, name) == 0)
            return &session->cursors[i];
    }
    return NULL;
}

static void
close_cursor(struct sim_session *session, struct sim_cursor *cursor)
{
    size_t index = (size_t)(cursor - session->cursors);

    memmove(cursor, cursor + 1, (--session->cursor_count - index) * sizeof(*cursor));
}

static const char *
declare(struct sim_session *session, const char *name, const char *token, bool is_holdable)
{
    struct sim_cursor *cursor = &session->cursors[session->cursor_count];

    if (!is_holdable && !session->is_block)
        return "25P01";
    if (find_cursor(session, name) != NULL)
        return "42P03";
    if (session->cursor_count == SIM_CURSORS) {
        session->fault = "more cursors than there is room for";
        return NULL;
    }
    session->cursor_count++;
    *cursor = (struct sim_cursor){.is_holdable = is_holdable};
    snprintf(cursor->name, SIM_NAME, "%s", name);
    snprintf(cursor->token, SIM_NAME, "%s", token);
    sim_put_complete(session, "DECLARE CURSOR");
    return NULL;
}

static const char *
fetch(struct sim_session *session, const char *name, unsigned count)
{
    struct sim_cursor *cursor = find_cursor(session, name);
    unsigned rows = 0;
    char tag[32];

    if (cursor == NULL)
        return "34000";
    if (!session->is_extended)
        sim_put_columns(session);
    for (; rows < count && cursor->position < SIM_ROWS; rows++)
        sim_put_numbered(session, cursor->token, cursor->position++, "");
    snprintf(tag, sizeof(tag), "FETCH %u", rows);
    sim_put_complete(session, tag);
    return NULL;
}

static const char *
close_named(struct sim_session *session, const char *name)
{
    struct sim_cursor *cursor = find_cursor(session, name);

    if (cursor == NULL)
        return "34000";
    close_cursor(session, cursor);
    sim_put_complete(session, "CLOSE CURSOR");
    return NULL;
}

void
sim_named_end_transaction(struct sim_session *session, bool is_rolled_back)
{
    for (size_t i = session->cursor_count; i-- > 0;) {
        struct sim_cursor *cursor = &session->cursors[i];
        if (!cursor->is_committed && (is_rolled_back || !cursor->is_holdable))
            close_cursor(session, cursor);
        else
            cursor->is_committed = true;
    }
}

/* --- both ---------------------------------------------------------------------------------- */

bool
sim_named_run(struct sim_session *session, const char *sql, const char **ret_sqlstate)
{
    char name[SIM_NAME], token[SIM_NAME];
    unsigned count;
    int inner = 0;

    *ret_sqlstate = NULL;
    if (sscanf(sql, "prepare %63s as %n", name, &inner) == 1 && inner > 0) {
        *ret_sqlstate = prepare(session, sql, name, sql + inner);
    } else if (strcmp(sql, "deallocate all") == 0) {
        deallocate_all(session);
        sim_put_complete(session, "DEALLOCATE ALL");
    } else if (sscanf(sql, "deallocate %63s", name) == 1 ||
               sscanf(sql, "DEALLOCATE \"%63[^\"]", name) == 1) {
        *ret_sqlstate = deallocate(session, name);
    } else if (sscanf(sql, "declare %63s cursor for rows '%63[^']", name, token) == 2) {
        *ret_sqlstate = declare(session, name, token, false);
    } else if (sscanf(sql, "declare %63s cursor with hold for rows '%63[^']", name, token) == 2) {
        *ret_sqlstate = declare(session, name, token, true);
    } else if (sscanf(sql, "fetch %u from %63s", &count, name) == 2) {
        *ret_sqlstate = fetch(session, name, count);
    } else if (sscanf(sql, "close %63s", name) == 1) {
        *ret_sqlstate = close_named(session, name);
    } else {
        return false;
    }
    return true;
}

bool
sim_named_has_rows(struct sim_session *session, const char *sql)
{
    char name[SIM_NAME];
    unsigned count;

    if (sscanf(sql, "fetch %u from %63s", &count, name) == 2)
        return find_cursor(session, name) != NULL;
    sql = sim_named_resolve(session, sql);
    return sql != NULL && (strncmp(sql, "select", 6) == 0 || strncmp(sql, "rows", 4) == 0 ||
                           strncmp(sql, "slow", 4) == 0);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
sim_named_list(struct sim_session *session, char *text, size_t size)
{
    const char *names[SIM_STATEMENTS + SIM_CURSORS];
    size_t count = 0, length = 0;

    for (size_t i = 1; i < SIM_STATEMENTS; i++) {
        if (session->statements[i].is_used && session->statements[i].prepare[0] != '\0')
            names[count++] = session->statements[i].name;
    }
    for (size_t i = 0; i < session->cursor_count; i++)
        names[count++] = session->cursors[i].name;
    qsort(names, count, sizeof(names[0]), compare_names);
    text[0] = '\0';
    for (size_t i = 0; i < count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s|", names[i]);
}

void
sim_named_discard(struct sim_session *session)
{
    memset(session->statements, 0, sizeof(session->statements));
    session->cursor_count = 0;
}
