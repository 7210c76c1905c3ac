// SPDX-License-Identifier: MIT
#include "sim/own.h"

#include "sim/reply.h"

#include <stdio.h>

void
sim_own_bound(const struct sim_bytes *bytes, struct sim_bound *ret_bound)
{
    struct wire_cursor cursor = wire_cursor(bytes->items, bytes->count);
    uint16_t formats = wire_get_uint16(&cursor);

    (void)wire_get_bytes(&cursor, 2 * (size_t)formats);
    ret_bound->count = wire_get_uint16(&cursor);
    for (size_t i = 0; i < ret_bound->count && i < SIM_BOUND_MAX; i++) {
        uint32_t length = wire_get_uint32(&cursor);
        const uint8_t *text = wire_get_bytes(&cursor, length);
        snprintf(ret_bound->items[i], SIM_BOUND_BYTES, "%.*s", text == NULL ? 0 : (int)length,
                 text == NULL ? "" : (const char *)text);
    }
}

static void
read_hex(const char *hex, size_t length, char text[SIM_NAME])
{
    size_t count = 0;

    for (; 2 * count + 1 < length && count + 1 < SIM_NAME; count++) {
        unsigned byte = 0;
        sscanf(hex + 2 * count, "%2x", &byte);
        text[count] = (char)byte;
    }
    text[count] = '\0';
}

static void
put_found(struct sim_session *session, const char *what, const char *name, const char *value)
{
    const char *values[] = {what, name, value};
    struct wire_writer writer = sim_bytes_begin(&session->out, SIM_MESSAGE_BYTES);

    wire_put_row(&writer, values, 3);
    sim_bytes_end(&session->out, &writer);
}

void
sim_own_probe(struct sim_session *session, const struct sim_bound *bound)
{
    const struct sim_state *state = &session->state;

    for (size_t i = 0; i < SIM_SETTINGS && bound->items[0][0] == 't'; i++) {
        if (strchr(sim_setting_names[i], '.') == NULL && state->settings[i].is_set)
            put_found(session, "parameter", sim_setting_names[i], state->settings[i].value);
    }
    for (const char *at = bound->items[1]; *at != '\0';) {
        size_t length = strcspn(at, ",");
        char name[SIM_NAME];
        read_hex(at, length, name);
        const struct sim_setting *setting = sim_session_setting(session, name);
        if (setting->value[0] != '\0')
            put_found(session, "parameter", name, setting->value);
        at += length + (at[length] == ',');
    }
    if (bound->items[2][0] == 't' && session->locks > 0)
        put_found(session, "locks", "", NULL);
    if (bound->items[3][0] == 't' && state->channel[0] != '\0' &&
        session->plant != SIM_PLANT_LISTEN)
        put_found(session, "listen", "", NULL);
    for (size_t i = 0; i < session->cursor_count && bound->items[4][0] == 't'; i++) {
        if (session->cursors[i].is_holdable && session->plant != SIM_PLANT_CURSOR)
            put_found(session, "cursors", "", NULL);
    }
    if (bound->items[5][0] == 't' && state->temp_count > 0)
        put_found(session, "temporary", "", NULL);
    for (size_t i = 0; i < SIM_STATEMENTS && bound->items[6][0] == 't'; i++) {
        const struct sim_statement *one = &session->statements[i];
        if (one->is_used && one->prepare[0] != '\0' && session->plant != SIM_PLANT_PREPARE)
            put_found(session, "statement", one->name, one->prepare);
    }
    sim_put_complete(session, "SELECT");
}

void
sim_own_restore(struct sim_session *session, const struct sim_bound *bound, bool is_startup)
{
    const char *values = bound->items[1];

    for (const char *names = bound->items[0]; *names != '\0';) {
        size_t length = strcspn(names, ","), value_length = strcspn(values, ",");
        char name[SIM_NAME], value[SIM_NAME];
        read_hex(names, length, name);
        read_hex(values + 1, value_length - 1, value);
        if (session->plant != SIM_PLANT_RESTORE &&
            !(is_startup && sim_session_setting(session, name)->is_set))
            sim_session_set(session, name, values[0] == 'r' ? NULL : value);
        names += length + (names[length] == ',');
        values += value_length + (values[value_length] == ',');
        put_found(session, "", "", "");
    }
    sim_put_complete(session, "SELECT");
}
