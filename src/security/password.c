// SPDX-License-Identifier: MIT
#include "security/password.h"

#include "base/file.h"
#include "base/state.h"
#include "base/text.h"
#include "deck/deck.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PASSWORD_LETTERS = 32 }; /* of 64 each: 192 bits */

/* The deck's name as a folder: what is not plain is written %XX. */
const char *
password_file_path(struct arena *arena, const char *state_folder, const char *deck)
{
    AUTO_TEXT path = {0};

    text_appendf(&path, "%s/", state_folder);
    for (const char *at = deck; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        bool is_plain = isalnum(byte) || *at == '_' || *at == '-' || (*at == '.' && at > deck);
        if (is_plain && byte < 128)
            text_append_bytes(&path, at, 1);
        else
            text_appendf(&path, "%%%02X", byte);
    }
    text_append(&path, "/passwords");
    return arena_strdup(arena, text_chars(&path));
}

/* --- the file: host:port:database:user:password, \ before : and \ ------------------------- */

static void
append_escaped(struct text *text, const char *word)
{
    for (; *word != '\0'; word++) {
        if (*word == ':' || *word == '\\' || *word == '\n')
            text_append(text, "\\");
        text_append_bytes(text, *word == '\n' ? "n" : word, 1); /* a line stays a line */
    }
}

/* The password of a line that begins with prefix ("*:*:*:role:"); NULL: is another's. */
static const char *
password_of_line(struct arena *arena, const char *line, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(line, prefix, length) != 0)
        return NULL;
    const char *at = line + length;
    char *password = arena_strndup(arena, at, strcspn(at, "\n"));
    char *out = password;
    for (const char *in = password; *in != '\0'; in++) {
        if (*in == '\\' && in[1] != '\0')
            in++;
        *out++ = *in;
    }
    *out = '\0';
    return password;
}

static const char *
find_in(struct arena *arena, const char *lines, const char *role)
{
    AUTO_TEXT prefix = {0};

    text_append(&prefix, "*:*:*:");
    append_escaped(&prefix, role);
    text_append(&prefix, ":");
    for (const char *line = lines; line != NULL && *line != '\0';) {
        const char *password = password_of_line(arena, line, text_chars(&prefix));
        if (password != NULL)
            return password;
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return NULL;
}

/* The file's text; empty when there is none. */
static bool
read_lines(struct arena *arena, const char *path, char **ret_lines, struct error *err)
{
    struct stat status;
    size_t length;

    if (lstat(path, &status) != 0) {
        if (errno != ENOENT)
            return error_errno(err, "cannot read \"%s\"", path);
        *ret_lines = arena_strdup(arena, "");
        return true;
    }
    bool is_own = status.st_uid == geteuid() || status.st_uid == 0;
    if (!S_ISREG(status.st_mode) || !is_own || (status.st_mode & 077) != 0) {
        error_set(err, ERROR_FILE, "the password file \"%s\" is not safe", path);
        return error_hint(err, "It must be a plain file of your own that nobody else may read: "
                               "chmod 600.");
    }
    return file_read(arena, path, ret_lines, &length, err);
}

/* --- finding and making ------------------------------------------------------------------- */

static bool
find_file(struct arena *arena, const char *deck, const char **ret_path, struct error *err)
{
    const char *folder;

    if (!state_folder(arena, &folder, err))
        return false;
    *ret_path = password_file_path(arena, folder, deck);
    return true;
}

/* From the environment, or a credential of that name that systemd has put there. */
static bool
find_given(struct arena *arena, const char *role, const char **ret_password, struct error *err)
{
    const char *name = deck_password_variable(arena, role);
    const char *value = getenv(name);
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    const char *path = folder == NULL ? NULL : arena_printf(arena, "%s/%s", folder, name);
    char *text;
    size_t length;

    *ret_password = value == NULL || value[0] == '\0' ? NULL : arena_strdup(arena, value);
    if (*ret_password != NULL || path == NULL || !file_exists(path))
        return true;
    if (!file_read_secret(arena, path, &text, &length, err))
        return false;
    text[strcspn(text, "\r\n")] = '\0';
    *ret_password = text[0] == '\0' ? NULL : text;
    return true;
}

bool
password_find(struct arena *arena, const char *deck, const char *role, const char **ret_password,
              struct error *err)
{
    const char *path;
    char *lines;

    if (!find_given(arena, role, ret_password, err))
        return false;
    if (*ret_password != NULL)
        return true;
    if (!find_file(arena, deck, &path, err) || !read_lines(arena, path, &lines, err))
        return false;
    *ret_password = find_in(arena, lines, role);
    return true;
}

static bool
make_password(char password[PASSWORD_LETTERS + 1], struct error *err)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[PASSWORD_LETTERS];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return error_set(err, ERROR_INTERNAL, "cannot make a password: no random numbers");
    for (size_t i = 0; i < PASSWORD_LETTERS; i++)
        password[i] = letters[bytes[i] & 63];
    password[PASSWORD_LETTERS] = '\0';
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return true;
}

static bool
store(const char *path, const char *lines, const char *role, const char *password,
      struct error *err)
{
    AUTO_TEXT text = {0};

    text_append(&text, lines);
    if (text.length > 0 && text.chars[text.length - 1] != '\n')
        text_append(&text, "\n");
    text_append(&text, "*:*:*:");
    append_escaped(&text, role);
    text_append(&text, ":");
    append_escaped(&text, password);
    text_append(&text, "\n");
    bool is_written = file_write(path, text_chars(&text), text.length, 0600, err);
    OPENSSL_cleanse(text.chars, text.length);
    return is_written;
}

/* With the folder locked. */
static bool
find_or_store(struct arena *arena, const char *path, const char *role, void *context,
              struct error *err)
{
    const char **ret_password = context;
    char made[PASSWORD_LETTERS + 1];
    char *lines;

    if (!read_lines(arena, path, &lines, err))
        return false;
    *ret_password = find_in(arena, lines, role);
    if (*ret_password != NULL)
        return true;
    if (!make_password(made, err) || !store(path, lines, role, made, err))
        return false;
    *ret_password = arena_strdup(arena, made);
    OPENSSL_cleanse(made, sizeof(made));
    return true;
}

/* Without the role's line. */
static bool
remove_line(struct arena *arena, const char *path, const char *role, void *context,
            struct error *err)
{
    AUTO_TEXT prefix = {0};
    AUTO_TEXT rest = {0};
    char *lines;

    (void)context;
    if (!read_lines(arena, path, &lines, err))
        return false;
    text_append(&prefix, "*:*:*:");
    append_escaped(&prefix, role);
    text_append(&prefix, ":");
    for (const char *line = lines; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        length += line[length] == '\n';
        if (strncmp(line, text_chars(&prefix), prefix.length) != 0)
            text_append_bytes(&rest, line, length);
        line += length;
    }
    bool is_written = file_write(path, text_chars(&rest), rest.length, 0600, err);
    if (rest.length > 0)
        OPENSSL_cleanse(rest.chars, rest.length);
    return is_written;
}

typedef bool work_on_file(struct arena *arena, const char *path, const char *role, void *context,
                          struct error *err);

/* One pgdeck at a time. */
static bool
with_file(struct arena *arena, const char *deck, const char *role, work_on_file *work,
          void *context, struct error *err)
{
    const char *path;

    if (!find_file(arena, deck, &path, err))
        return false;
    const char *folder = arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path));
    if (!file_make_folder(folder, 0700, err))
        return false;
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        error_errno(err, "cannot lock \"%s\"", folder);
        if (lock >= 0)
            close(lock);
        return false;
    }
    bool is_done = work(arena, path, role, context, err);
    close(lock);
    return is_done;
}

bool
password_find_or_make(struct arena *arena, const char *deck, const char *role,
                      const char **ret_password, struct error *err)
{
    if (!find_given(arena, role, ret_password, err))
        return false;
    return *ret_password != NULL || with_file(arena, deck, role, find_or_store, ret_password, err);
}

bool
password_forget(struct arena *arena, const char *deck, const char *role, struct error *err)
{
    return with_file(arena, deck, role, remove_line, NULL, err);
}

/* --- the two logins of a service ------------------------------------------------------------ */

/* Where a role's line begins in the file; -1: nowhere. One that is given counts as the last. */
static bool
find_age(struct arena *arena, const char *deck, const char *role, long *ret_age, struct error *err)
{
    const char *password, *path;
    char *lines;
    AUTO_TEXT prefix = {0};

    *ret_age = -1;
    if (!find_given(arena, role, &password, err) || !find_file(arena, deck, &path, err) ||
        !read_lines(arena, path, &lines, err))
        return false;
    if (password != NULL) {
        *ret_age = LONG_MAX;
        return true;
    }
    text_append(&prefix, "*:*:*:");
    append_escaped(&prefix, role);
    text_append(&prefix, ":");
    for (const char *line = lines; line != NULL && *line != '\0';) {
        if (strncmp(line, text_chars(&prefix), prefix.length) == 0)
            *ret_age = line - lines;
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return true;
}

bool
password_logins(struct arena *arena, const char *deck, const char *login,
                struct password_logins *ret_logins, struct error *err)
{
    const char *other = deck_other_login(arena, login);
    long ages[2];

    if (!find_age(arena, deck, login, &ages[0], err) ||
        !find_age(arena, deck, other, &ages[1], err))
        return false;
    *ret_logins = (struct password_logins){
        .names = {login, other},
        .is_known = {ages[0] >= 0, ages[1] >= 0},
        .is_given = {ages[0] == LONG_MAX, ages[1] == LONG_MAX},
        .current = ages[1] >= 0 && ages[1] >= ages[0],
    };
    return true;
}
