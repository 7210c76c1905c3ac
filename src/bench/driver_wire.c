// SPDX-License-Identifier: MIT
/* Requests whose rows nobody reads, past libpq: the messages are written in one piece, and the
 * answer is only walked through, wherever it is cut. libpq has made the connection and prepared the
 * statements, and goes on with it later: between requests nothing is left over. */
#include "bench/driver_run.h"

#include "wire/writer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { OUTPUT_BYTES = 1 << 16, INPUT_BYTES = 1 << 16 };

bool
bench_wire_is_usable(PGconn *connection)
{
    return PQsslInUse(connection) == 0 && PQgssEncInUse(connection) == 0;
}

/* What a Bind of each statement begins with, up to its values. */
static void
write_prefix(struct bench_driver *driver, size_t statement, struct arena *arena)
{
    struct wire_writer writer = wire_writer(driver->output, OUTPUT_BYTES);
    struct bench_wire_prefix *prefix = &driver->prefixes[statement];

    wire_begin(&writer, 'B');
    wire_put_string(&writer, "");
    wire_put_string(&writer, driver->names[statement]);
    wire_put_uint16(&writer, 0);
    wire_put_uint16(&writer, (uint16_t)driver->options.statements[statement].parameter_count);
    prefix->count = writer.length;
    prefix->bytes = ARENA_ARRAY(arena, uint8_t, writer.length);
    memcpy(prefix->bytes, driver->output, writer.length);
}

static uint8_t *
put_number(uint8_t *at, uint32_t number)
{
    number = htonl(number);
    memcpy(at, &number, sizeof(number));
    return at + sizeof(number);
}

static uint8_t *
put_bytes(uint8_t *at, const void *bytes, size_t count)
{
    if (count > 0)
        memcpy(at, bytes, count);
    return at + count;
}

/* As PQsendQueryPrepared: Bind, Describe, Execute, Sync; texts both ways. 0: needs more room. */
static size_t
write_request(const struct bench_driver *driver, const struct bench_request *request)
{
    static const char rest[] = "\0\0D\0\0\0\6P\0E\0\0\0\11\0\0\0\0\0S\0\0\0\4";
    const struct bench_wire_prefix *prefix = &driver->prefixes[request->statement];
    int count = driver->options.statements[request->statement].parameter_count;
    uint8_t *at = driver->output + prefix->count;
    const uint8_t *end = driver->output + driver->output_room - sizeof(rest) - sizeof(uint32_t);

    memcpy(driver->output, prefix->bytes, prefix->count);
    for (int i = 0; i < count; i++) {
        const char *value = request->values[i];
        size_t length = value == NULL ? 0 : strlen(value);
        if (length + sizeof(uint32_t) > (size_t)(end - at))
            return 0;
        at = put_number(at, value == NULL ? UINT32_MAX : (uint32_t)length);
        at = put_bytes(at, value, length);
    }
    memcpy(at, rest, sizeof(rest) - 1);
    put_number(driver->output + 1, (uint32_t)(at + 1 - driver->output)); /* with the formats */
    return (size_t)(at - driver->output) + sizeof(rest) - 1;
}

/* The server reads whenever no answer is under way: waiting for room in the socket is short. */
static bool
send_all(int descriptor, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(descriptor, bytes, count, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes += sent;
            count -= (size_t)sent;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return false;
        struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
        poll(&wait, 1, -1);
    }
    return true;
}

bool
bench_wire_send(struct bench_driver *driver, size_t number)
{
    struct bench_lane *lane = &driver->lanes[number];
    size_t count;

    while ((count = write_request(driver, &lane->request)) == 0) {
        driver->output_room *= 2;
        driver->output = ARENA_ARRAY(driver->arena, uint8_t, driver->output_room);
    }
    lane->header_count = 0;
    lane->body_left = 0;
    lane->fault_length = 0;
    if (!driver->is_ring || count > BENCH_RING_BYTES)
        return send_all(lane->descriptor, driver->output, count);
    bench_ring_send(driver, number, driver->output, count);
    return true;
}

/* Reads the head of a message, which may be cut; returns how many bytes of it were here. */
static size_t
read_header(struct bench_lane *lane, const uint8_t *bytes, size_t count, bool *ret_is_bad)
{
    struct wire_header header;
    size_t missing = WIRE_HEADER_BYTES - lane->header_count;
    size_t taken = count < missing ? count : missing;

    memcpy(lane->header + lane->header_count, bytes, taken);
    lane->header_count += taken;
    if (lane->header_count < WIRE_HEADER_BYTES)
        return taken;
    *ret_is_bad =
        wire_read_header(lane->header, WIRE_HEADER_BYTES, WIRE_FROM_SERVER, &header) == WIRE_BAD;
    lane->body_left = header.body_bytes;
    return taken;
}

/* Keeps what fits of an ErrorResponse; skips all else. */
static size_t
read_body(struct bench_lane *lane, const uint8_t *bytes, size_t count)
{
    size_t taken = count < lane->body_left ? count : lane->body_left;

    if (lane->header[0] == 'E') {
        size_t room = sizeof(lane->fault) - lane->fault_length;
        size_t kept = taken < room ? taken : room;
        memcpy(lane->fault + lane->fault_length, bytes, kept);
        lane->fault_length += kept;
    }
    lane->body_left -= taken;
    return taken;
}

/* Passes over messages that are here whole and are no error; returns where it stopped. */
static size_t
skip_whole(const uint8_t *bytes, size_t count, bool *ret_is_ready)
{
    size_t at = 0;

    while (count - at >= WIRE_HEADER_BYTES) {
        size_t length = (size_t)wire_uint32(bytes + at + 1) + 1;
        if (bytes[at] == 'E' || length < WIRE_HEADER_BYTES || length > count - at)
            break;
        *ret_is_ready = bytes[at] == 'Z';
        at += length;
        if (*ret_is_ready)
            break;
    }
    return at;
}

enum bench_wire_result
bench_wire_walk(struct bench_lane *lane, const uint8_t *bytes, size_t count)
{
    bool is_ready = false;
    size_t at = lane->header_count == 0 ? skip_whole(bytes, count, &is_ready) : 0;
    bool is_bad = false;

    if (is_ready)
        return BENCH_WIRE_DONE;

    while (at < count) {
        if (lane->header_count < WIRE_HEADER_BYTES)
            at += read_header(lane, bytes + at, count - at, &is_bad);
        if (is_bad)
            return BENCH_WIRE_LOST;
        if (lane->header_count < WIRE_HEADER_BYTES)
            break;
        at += read_body(lane, bytes + at, count - at);
        if (lane->body_left > 0)
            break;
        lane->header_count = 0;
        if (lane->header[0] == 'Z')
            return BENCH_WIRE_DONE;
    }
    return BENCH_WIRE_FINE;
}

enum bench_wire_result
bench_wire_receive(struct bench_driver *driver, struct bench_lane *lane)
{
    enum bench_wire_result result = BENCH_WIRE_FINE;
    ssize_t got;

    do {
        got = recv(lane->descriptor, driver->input, INPUT_BYTES, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return BENCH_WIRE_FINE;
        if (got <= 0)
            return BENCH_WIRE_LOST;
        result = bench_wire_walk(lane, driver->input, (size_t)got);
    } while (result == BENCH_WIRE_FINE && got == INPUT_BYTES);
    return result;
}

/* The message may be cut: what is asked for stands at its front. */
bool
bench_wire_fault(const struct bench_lane *lane, const char **ret_sqlstate, const char **ret_message)
{
    struct wire_cursor cursor = wire_cursor(lane->fault, lane->fault_length);

    if (lane->fault_length == 0)
        return false;
    *ret_sqlstate = "XX000";
    *ret_message = "";
    for (uint8_t field; (field = wire_get_byte(&cursor)) != 0;) {
        const char *text = wire_get_string(&cursor);
        if (text == NULL)
            break;
        if (field == 'C')
            *ret_sqlstate = text;
        else if (field == 'M')
            *ret_message = text;
    }
    return true;
}

void
bench_wire_init(struct bench_driver *driver, struct arena *arena)
{
    driver->output_room = OUTPUT_BYTES;
    driver->output = ARENA_ARRAY(arena, uint8_t, OUTPUT_BYTES);
    driver->input = ARENA_ARRAY(arena, uint8_t, INPUT_BYTES);
    driver->prefixes =
        ARENA_ARRAY(arena, struct bench_wire_prefix, driver->options.statement_count + 1);
    for (size_t i = 0; i < driver->options.statement_count; i++)
        write_prefix(driver, i, arena);
}
