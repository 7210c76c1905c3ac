// SPDX-License-Identifier: MIT
#include "security/hba.h"

#include "base/text.h"
#include "pg/script.h"
#include "security/roles.h"

#include <stdlib.h>
#include <string.h>

/* --- names -------------------------------------------------------------------------------- */

static void
append_quoted(struct text *text, const char *name)
{
    text_append(text, "\"");
    for (; *name != '\0'; name++)
        text_appendf(text, "%s%c", *name == '"' ? "\"" : "", *name);
    text_append(text, "\"");
}

const char *
hba_name(struct arena *arena, const char *name, int major)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    static const char *const words[] = {"all", "replication", "sameuser", "samerole", "samegroup"};
    bool is_plain = name[strspn(name, plain)] == '\0';
    AUTO_TEXT text = {0};
    AUTO_TEXT expression = {0};

    if (strpbrk(name, "\r\n") != NULL)
        return NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        is_plain = is_plain && strcmp(name, words[i]) != 0;
    if (is_plain)
        return name;
    if (name[0] == '/' && major >= 16) {
        text_append(&expression, "/^");
        for (; *name != '\0'; name++)
            text_appendf(&expression, "%s%c", strchr("\\^$.|?*+()[]{}", *name) ? "\\" : "", *name);
        text_append(&expression, "$");
        name = text_chars(&expression);
    }
    append_quoted(&text, name);
    return arena_strdup(arena, text_chars(&text));
}

/* --- the lines ---------------------------------------------------------------------------- */

struct rendering {
    struct arena *arena;
    const struct advice *advice;
    struct text text;
    struct text databases; /* all that have lines, with commas */
    struct hba_lines lines;
};

/* False: the name cannot be written. */
static bool
append_name(struct rendering *rendering, struct text *list, const char *name)
{
    const char *written = hba_name(rendering->arena, name, rendering->advice->catalog->major);

    if (written == NULL) {
        rendering->lines.left_out = name;
        return false;
    }
    text_appendf(list, "%s%s", list->length > 0 ? "," : "", written);
    return true;
}

/* Who may log in to a database. */
struct logins {
    LIST_OF(const char *) names;
};

/* Roles that the deck lists, not of one environment, may come too. */
static struct logins
logins_of(const struct rendering *rendering, const struct deck_database *database)
{
    const struct deck *deck = rendering->advice->deck;
    struct logins found = {0};

    for (size_t i = 0; i < database->services.count; i++) {
        struct security_logins logins = security_logins_of(rendering->advice, database->environment,
                                                           database->services.items[i]);
        for (size_t j = 0; j < logins.count; j++)
            *LIST_ADD(rendering->arena, &found.names) = logins.names[j];
    }
    if (deck_has_pool_logins(database->environment))
        *LIST_ADD(rendering->arena, &found.names) =
            deck_pool_asker(rendering->arena, database->environment);
    for (size_t i = 0; i < deck->roles.count; i++) {
        if (deck->roles.items[i].can_login)
            *LIST_ADD(rendering->arena, &found.names) = deck->roles.items[i].name;
    }
    return found;
}

static int
bits_of(const char *network)
{
    const char *slash = strchr(network, '/');

    return slash == NULL ? 128 : atoi(slash + 1);
}

static int
narrow_first(const void *left_item, const void *right_item)
{
    const char *left = *(const char *const *)left_item, *right = *(const char *const *)right_item;
    int order = bits_of(right) - bits_of(left);

    return order != 0 ? order : strcmp(left, right);
}

static bool
is_of_this_host(const char *network)
{
    return strncmp(network, "127.", 4) == 0 || strcmp(network, "::1/128") == 0;
}

/* Whether the pool, which reaches the server as the deck's conninfo says, comes in clear text on
 * the server's own host: only then TLS cannot be asked for there. */
static bool
is_pool_clear(const struct deck_server *server)
{
    PQconninfoOption *options = PQconninfoParse(server->conninfo, NULL);
    const char *mode = "", *host = "";

    for (const PQconninfoOption *at = options; at != NULL && at->keyword != NULL; at++) {
        if (at->val != NULL && strcmp(at->keyword, "sslmode") == 0)
            mode = at->val;
        if (at->val != NULL && (strcmp(at->keyword, "host") == 0 ||
                                (host[0] == '\0' && strcmp(at->keyword, "hostaddr") == 0)))
            host = at->val;
    }
    bool is_socket = host[0] == '\0' || host[0] == '/' || host[0] == '@';
    bool is_clear = !is_socket && strcmp(mode, "require") != 0 && strncmp(mode, "verify", 6) != 0;
    PQconninfoFree(options);
    return is_clear;
}

static void
append_line(struct rendering *rendering, const char *written, const struct hba_line *line)
{
    text_appendf(&rendering->text, "%-7s %s %s scram-sha-256\n", line->has_tls ? "hostssl" : "host",
                 written, line->network);
    *LIST_ADD(rendering->arena, &rendering->lines.list) = *line;
}

static void
append_database(struct rendering *rendering, const struct deck_database *database)
{
    const struct deck_environment *environment = database->environment;
    struct arena *arena = rendering->arena;
    struct logins logins = logins_of(rendering, database);
    size_t count = environment->allow.count;
    const char **networks = ARENA_ARRAY(arena, const char *, count + 1);
    struct hba_line line = {.database = database->name,
                            .roles = pg_text_array(arena, logins.names.items, logins.names.count)};
    AUTO_TEXT roles = {0};
    AUTO_TEXT name = {0};

    if (!append_name(rendering, &name, database->name))
        return;
    for (size_t i = 0; i < logins.names.count; i++) {
        if (!append_name(rendering, &roles, logins.names.items[i]))
            return;
    }
    if (count > 0) {
        memcpy(networks, environment->allow.items, count * sizeof(*networks));
        qsort(networks, count, sizeof(*networks), narrow_first);
    }
    const char *written = arena_printf(arena, "%s %s", text_chars(&name), text_chars(&roles));
    bool has_near_tls = environment->has_tls_required && !is_pool_clear(environment->server);
    for (size_t i = 0; i < count && roles.length > 0; i++) {
        line.network = networks[i];
        line.has_tls = is_of_this_host(networks[i]) ? has_near_tls : environment->has_tls_required;
        append_line(rendering, written, &line);
    }
    /* The pool, on the server's own host. */
    static const char *const loopback[] = {"127.0.0.1/32", "::1/128"};
    for (size_t i = 0; i < 2 && roles.length > 0; i++) {
        line.network = loopback[i];
        line.has_tls = has_near_tls;
        append_line(rendering, written, &line);
    }
    text_appendf(&rendering->databases, "%s%s", rendering->databases.length > 0 ? "," : "",
                 text_chars(&name));
    *LIST_ADD(arena, &rendering->lines.databases) = database->name;
}

static void
append_own(struct rendering *rendering, const struct hba_own *own, struct text *text)
{
    struct arena *arena = rendering->arena;
    const char *role = hba_name(arena, own->role, rendering->advice->catalog->major);
    const char *roles = pg_text_array(arena, &own->role, 1);
    bool is_first = true;

    for (size_t i = 0; i < own->ways.count; i++) {
        const struct hba_way *way = &own->ways.items[i];
        if (way->method == NULL || role == NULL)
            continue;
        text_appendf(text, "%s%-7s %s %s %s %s%s%s\n", is_first ? "# pgdeck itself\n" : "",
                     way->type, text_chars(&rendering->databases), role, way->address, way->method,
                     way->options[0] != '\0' ? " " : "", way->options);
        is_first = false;
        for (size_t j = 0; j < rendering->lines.databases.count; j++)
            *LIST_ADD(arena, &rendering->lines.list) =
                (struct hba_line){rendering->lines.databases.items[j], roles, way->address,
                                  strcmp(way->type, "hostssl") == 0};
    }
}

struct hba_lines
hba_render(const struct advice *advice, const struct hba_own *own)
{
    const struct deck *deck = advice->deck;
    struct rendering rendering = {.arena = advice->arena, .advice = advice};
    AUTO_TEXT part = {0};

    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        if (environment->server != advice->server || environment->allow.count == 0)
            continue;
        text_appendf(&rendering.text, "# %s\n", hba_name(advice->arena, environment->name, 0));
        for (size_t j = 0; j < deck->databases.count; j++) {
            if (deck->databases.items[j].environment == environment)
                append_database(&rendering, &deck->databases.items[j]);
        }
    }
    if (rendering.databases.length > 0) {
        append_own(&rendering, own, &part);
        text_append(&part, text_chars(&rendering.text));
        text_appendf(&part, "# nobody else\nhost    %s all all reject\n",
                     text_chars(&rendering.databases));
    }
    text_release(&rendering.text);
    text_release(&rendering.databases);
    rendering.lines.text = arena_strdup(advice->arena, text_chars(&part));
    return rendering.lines;
}

/* --- in the file -------------------------------------------------------------------------- */

/* The beginning of the marked part, whole lines; NULL: there is none. ret_end: behind it. */
static const char *
find_part(const char *text, const char **ret_end)
{
    const char *begin = strstr(text, HBA_BEGIN "\n");
    const char *end = begin == NULL ? NULL : strstr(begin, "\n" HBA_END "\n");

    if (end == NULL || (begin > text && begin[-1] != '\n'))
        return NULL;
    *ret_end = end + strlen("\n" HBA_END "\n");
    return begin;
}

const char *
hba_part(struct arena *arena, const char *text)
{
    const char *end;
    const char *begin = find_part(text, &end);

    if (begin == NULL)
        return NULL;
    begin += strlen(HBA_BEGIN "\n");
    end -= strlen(HBA_END "\n");
    return arena_strndup(arena, begin, (size_t)(end - begin));
}

const char *
hba_replace(struct arena *arena, const char *text, const char *part)
{
    const char *end;
    const char *begin = find_part(text, &end);

    if (begin == NULL)
        begin = end = text;
    if (part == NULL || *part == '\0')
        return arena_printf(arena, "%.*s%s", (int)(begin - text), text, end);
    return arena_printf(arena, "%.*s" HBA_BEGIN "\n%s" HBA_END "\n%s", (int)(begin - text), text,
                        part, end);
}

/* --- the difference ----------------------------------------------------------------------- */

static bool
has_line(const char *text, const char *line, size_t length)
{
    for (const char *at = text; at != NULL && *at != '\0';) {
        size_t here = strcspn(at, "\n");
        if (here == length && memcmp(at, line, length) == 0)
            return true;
        at += here + (at[here] == '\n');
    }
    return false;
}

static void
append_missing(struct text *out, const char *sign, const char *text, const char *other)
{
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        if (!has_line(other, at, length))
            text_appendf(out, "-- %s %.*s\n", sign, (int)length, at);
        at += length + (at[length] == '\n');
    }
}

const char *
hba_difference(struct arena *arena, const char *before, const char *after)
{
    AUTO_TEXT out = {0};

    append_missing(&out, "-", before, after);
    append_missing(&out, "+", after, before);
    return arena_strdup(arena, out.length > 0 ? text_chars(&out) : "-- the order of the lines\n");
}
