// SPDX-License-Identifier: MIT
#include "sim/reply.h"

#include "sim/named.h"

#include <stdio.h>

void
sim_put_error(struct sim_session *session, const char *severity, const char *sqlstate,
              const char *message)
{
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    wire_begin(&writer, strcmp(severity, "NOTICE") == 0 ? 'N' : 'E');
    wire_put_byte(&writer, 'S');
    wire_put_string(&writer, severity);
    wire_put_byte(&writer, 'V');
    wire_put_string(&writer, severity);
    wire_put_byte(&writer, 'C');
    wire_put_string(&writer, sqlstate);
    wire_put_byte(&writer, 'M');
    wire_put_string(&writer, message);
    wire_put_byte(&writer, 0);
    wire_end(&writer);
    sim_bytes_end(&session->out, &writer);
    session->visible = session->out.count;
}

void
sim_put_empty(struct sim_session *session, uint8_t type)
{
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    wire_put_empty(&writer, type);
    sim_bytes_end(&session->out, &writer);
}

void
sim_put_complete(struct sim_session *session, const char *tag)
{
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    wire_put_complete(&writer, tag);
    sim_bytes_end(&session->out, &writer);
}

static const char *const row_names[] = {"token", "parameter", "settings", "temps",
                                        "locks", "channel",   "named"};
enum { COLUMNS = sizeof(row_names) / sizeof(row_names[0]) };

void
sim_put_columns(struct sim_session *session)
{
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    wire_put_columns(&writer, row_names, NULL, COLUMNS);
    sim_bytes_end(&session->out, &writer);
}

static void
join(char *text, size_t size, const char *word)
{
    size_t length = strlen(text);

    snprintf(text + length, size - length, "%s|", word);
}

void
sim_put_row(struct sim_session *session, const char *token, const char *parameter)
{
    const struct sim_state *state = &session->state;
    char settings[SIM_SETTINGS * SIM_NAME * 2] = "", temps[SIM_TEMPS * SIM_NAME] = "";
    char locks[16], named[SIM_SQL];
    const char *values[COLUMNS] = {token, parameter, settings, temps, locks, state->channel, named};
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    for (size_t i = 0; i < SIM_SETTINGS; i++)
        join(settings, sizeof(settings), state->settings[i].value);
    for (size_t i = 0; i < state->temp_count; i++)
        join(temps, sizeof(temps), state->temps[i]);
    sim_named_list(session, named, sizeof(named));
    snprintf(locks, sizeof(locks), "%d", session->locks);
    wire_put_row(&writer, values, COLUMNS);
    sim_bytes_end(&session->out, &writer);
}

void
sim_put_numbered(struct sim_session *session, const char *token, unsigned number,
                 const char *parameter)
{
    char text[SIM_NAME + 16];

    snprintf(text, sizeof(text), "%s.%u", token, number);
    sim_put_row(session, text, parameter);
}

char
sim_session_status(const struct sim_session *session)
{
    return !session->is_block ? 'I' : session->has_failed ? 'E' : 'T';
}

static void
put_notification(struct sim_session *session, const char *text)
{
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    wire_begin(&writer, 'A');
    wire_put_uint32(&writer, 0);
    wire_put_string(&writer, session->state.channel);
    wire_put_string(&writer, text);
    wire_end(&writer);
    sim_bytes_end(&session->out, &writer);
    session->visible = session->out.count;
}

void
sim_session_notify(struct sim_session *session)
{
    if (session->state.channel[0] != '\0' && !session->is_open && !session->is_slow &&
        session->in.count == 0 && session->visible == session->out.count)
        put_notification(session, "another");
}

void
sim_put_ready(struct sim_session *session)
{
    char *notified = session->state.notified;

    if (!session->is_block && notified[0] != '\0') {
        if (strcmp(notified, session->state.channel) == 0)
            put_notification(session, "own");
        notified[0] = '\0';
    }
    const char *now = session->state.settings[SIM_APPLICATION].value;
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    if (strcmp(now, session->told) != 0) {
        snprintf(session->told, sizeof(session->told), "%s", now);
        wire_put_parameter(&writer, sim_setting_names[SIM_APPLICATION], now);
    }
    wire_put_ready(&writer, sim_session_status(session));
    sim_bytes_end(&session->out, &writer);
    session->visible = session->out.count;
}

void
sim_put_copy(struct sim_session *session, uint8_t type)
{
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    wire_begin(&writer, type);
    wire_put_bytes(&writer, "\0\0\1\0\0", 5);
    wire_end(&writer);
    sim_bytes_end(&session->out, &writer);
    session->visible = session->out.count;
}

void
sim_put_copy_out(struct sim_session *session, const char *token)
{
    sim_put_copy(session, 'H');
    for (int i = 0; i < SIM_ROWS; i++) {
        struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);
        wire_begin(&writer, 'd');
        wire_put_bytes(&writer, token, strlen(token));
        wire_end(&writer);
        sim_bytes_end(&session->out, &writer);
    }
    sim_put_empty(session, 'c');
    sim_put_complete(session, "COPY 12");
}
