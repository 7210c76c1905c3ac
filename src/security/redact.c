// SPDX-License-Identifier: MIT
#include "security/redact.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What comes behind one of these, and is no further letter of a name, is a secret. */
static const char *const secret_words[] = {
    "password", "passwd", "passphrase_command", "secret", "secret_key", "access_key", "client_key",
};

static bool
is_in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* White space, comments and a line break as jsonlog has it: \n, with the backslash doubled by
 * encode(). */
static const char *
skip_blanks(const char *at)
{
    for (;;) {
        size_t backslashes = strspn(at, "\\");
        if (isspace((unsigned char)*at)) {
            at++;
        } else if (backslashes > 0 && at[backslashes] != '\0' &&
                   strchr("nrtf", at[backslashes]) != NULL) {
            at += backslashes + 1;
        } else if (strncmp(at, "/*", 2) == 0) {
            const char *end = strstr(at + 2, "*/");
            at = end == NULL ? at + strlen(at) : end + 2;
        } else {
            return at;
        }
    }
}

/* CONNECTION 'host=... password=...': not a table's name, not CONNECTION LIMIT. */
static const char *
behind_connection(const char *at)
{
    const char *end = at + strlen("connection");

    if (strncasecmp(at, "connection", strlen("connection")) != 0 || is_in_name(*end))
        return NULL;
    const char *value = skip_blanks(end);
    if (strncasecmp(value, "U&'", 3) == 0 || strncasecmp(value, "E'", 2) == 0 ||
        strchr("'$-", *value) != NULL) /* strchr also finds the end of the line */
        return end;
    return NULL;
}

/* postgresql://..., and any other address with somebody in front of its @. */
static const char *
behind_address(const char *at)
{
    static const char *const own[] = {"postgres://", "postgresql://"};
    const char *end = at + strlen("://");

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strncasecmp(at, own[i], strlen(own[i])) == 0)
            return at + strlen(own[i]);
    }
    return strncmp(at, "://", 3) == 0 && end[strcspn(end, "@/'\" \t")] == '@' ? end : NULL;
}

/* OPTIONS (...) of servers and mappings, whatever an option is called there. */
static const char *
behind_options(const char *at)
{
    const char *end = at + strlen("options");

    if (strncasecmp(at, "options", strlen("options")) != 0 || is_in_name(*end))
        return NULL;
    return *skip_blanks(end) == '(' ? end : NULL;
}

/* SET of a parameter with a dot in its name: somebody's own, of which nothing is known. */
static const char *
behind_own_parameter(const char *at)
{
    static const char *const words[] = {"set", "session", "local"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *end = at + strlen(words[i]);
        bool is_word = strncasecmp(at, words[i], strlen(words[i])) == 0 && skip_blanks(end) > end;
        if (is_word)
            at = skip_blanks(end);
        else if (i == 0)
            return NULL;
    }
    const char *end = at;
    while (is_in_name(*end) || (unsigned char)*end >= 128 ||
           (*end != '\0' && strchr(".$\"\\", *end)))
        end++;
    bool has_dot = memchr(at, '.', (size_t)(end - at)) != NULL || *skip_blanks(end) == '.';
    return end > at && has_dot ? end : NULL;
}

/* The end of what is shown when a secret may begin there; NULL: none does. */
static const char *
behind_secret_word(const char *at)
{
    for (size_t i = 0; i < sizeof(secret_words) / sizeof(secret_words[0]); i++) {
        size_t length = strlen(secret_words[i]);
        if (strncasecmp(at, secret_words[i], length) == 0 && !is_in_name(at[length]))
            return at + length;
    }
    /* "p\0061ssword": a name that is not written in letters may be any of them. */
    if (strncasecmp(at, "U&", 2) == 0 && at[2 + strspn(at + 2, "\\")] == '"')
        return at + 2;
    const char *end = behind_options(at);
    if (end == NULL)
        end = behind_own_parameter(at);
    return end != NULL ? end : behind_connection(at);
}

void
security_redact(struct text *text, const char *line)
{
    for (const char *at = line; *at != '\0'; at++) {
        const char *end = behind_secret_word(at);
        if (end == NULL)
            end = behind_address(at);
        if (end == NULL)
            continue;
        text_append_bytes(text, line, (size_t)(end - line));
        text_append(text, " (left out)");
        return;
    }
    text_append(text, line);
}
