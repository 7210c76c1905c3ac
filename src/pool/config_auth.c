// SPDX-License-Identifier: MIT
#include "pool/config_auth.h"

#include "base/text.h"
#include "pool/config_tls.h"

#include <openssl/crypto.h>
#include <pwd.h>
#include <string.h>

#define DEFAULT_QUERY "SELECT pgdeck.pool_login($1)" /* sql/pool_login.sql makes it */

/* The user of this system with that name; false: there is none. */
static bool
find_uid(const char *name, uid_t *ret_uid)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;

    *ret_uid = (uid_t)-1;
    if (getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL)
        *ret_uid = found->pw_uid;
    return *ret_uid != (uid_t)-1;
}

static bool
find_peer(struct pool_route *route, struct error *err)
{
    if (find_uid(route->user, &route->peer))
        return true;
    error_set(err, ERROR_DECK, "there is no user \"%s\" on this system", route->user);
    return error_hint(err, "auth: peer lets users in over the unix socket by that name.");
}

static struct pool_user *
find_user(struct pool_config *config, const char *name)
{
    for (size_t i = 0; i < config->users.count; i++) {
        if (strcmp(config->users.items[i].name, name) == 0)
            return &config->users.items[i];
    }
    return NULL;
}

bool
pool_config_stats(struct pool_config *config, struct error *err)
{
    for (size_t i = 0; i < config->pooler.stats_users.count; i++) {
        const char *name = config->pooler.stats_users.items[i];
        struct pool_user *user = find_user(config, name);
        uid_t uid;
        bool is_of_system = find_uid(name, &uid);
        if (user == NULL && !is_of_system) {
            error_set(err, ERROR_DECK, "there is no user \"%s\", one of stats_users", name);
            return error_hint(err, "It is a user of the pool, or of this system, who then comes "
                                   "by the unix socket.");
        }
        if (user == NULL) {
            user = LIST_ADD(config->arena, &config->users);
            *user = (struct pool_user){.name = name};
        }
        user->is_stats = true;
        user->stats_uid = uid;
    }
    return true;
}

static void
add_word(struct text *conninfo, const char *key, const char *value)
{
    if (value == NULL)
        return;
    text_appendf(conninfo, "%s='", key);
    for (; *value != '\0'; value++)
        text_appendf(conninfo, *value == '\'' || *value == '\\' ? "\\%c" : "%c", *value);
    text_append(conninfo, "' ");
}

static bool
add_asker(struct pool_config *config, const struct pool_auth_wish *wish, struct pool_route *route,
          struct error *err)
{
    const struct pool_user *asker = pool_config_user(config, wish->asker);
    AUTO_TEXT conninfo = {0};

    if (config->is_of_deck && asker->password == NULL)
        return true; /* said at the start: passwords come with apply */
    if (asker == NULL || asker->password == NULL)
        return error_set(err, ERROR_DECK, "auth_user \"%s\" must be a user with a password",
                         wish->asker);
    add_word(&conninfo, "host", wish->host);
    add_word(&conninfo, "hostaddr", wish->host_address);
    text_appendf(&conninfo, "port=%d connect_timeout=5 ", wish->port);
    add_word(&conninfo, "dbname", route->server_database);
    add_word(&conninfo, "user", asker->name);
    add_word(&conninfo, "password", asker->password);
    add_word(&conninfo, "sslmode",
             wish->tls->mode != NULL          ? wish->tls->mode
             : route->tls_identity[0] != '\0' ? "verify-full"
                                              : "disable");
    add_word(&conninfo, "sslrootcert", wish->tls->authorities);
    add_word(&conninfo, "sslcert", wish->tls->certificate);
    add_word(&conninfo, "sslkey", wish->tls->key);
    add_word(&conninfo, "application_name", "pgdeck pool");
    add_word(&conninfo, "options", "-c search_path=pg_catalog -c statement_timeout=5s");
    route->auth_conninfo = arena_strdup(config->arena, text_chars(&conninfo));
    route->auth_query = wish->query == NULL ? DEFAULT_QUERY : wish->query;
    OPENSSL_cleanse(conninfo.chars, conninfo.length);
    return true;
}

/* Who cannot log in by what is known here; NULL: nobody. */
static const char *
find_unknown(const struct pool_config *config, const struct pool_route *route)
{
    const struct pool_user *user = pool_config_user(config, route->user);

    if (user == NULL || !user->has_keys)
        return route->user;
    for (size_t i = 0; !config->is_of_deck && i < route->other_users.count; i++) {
        user = pool_config_user(config, route->other_users.items[i]);
        if (user == NULL || !user->has_keys)
            return route->other_users.items[i];
    }
    return NULL;
}

bool
pool_config_auth(struct pool_config *config, const struct pool_auth_wish *wish,
                 struct pool_route *route, struct error *err)
{
    const char *unknown = find_unknown(config, route);

    route->peer = (uid_t)-1;
    if (route->auth == DECK_AUTH_PEER)
        return find_peer(route, err);
    if (route->auth == DECK_AUTH_CERT)
        return config->pooler.tls_client_ca != NULL ||
               error_set(err, ERROR_DECK, "auth: cert needs pooler.tls_client_ca");
    if (unknown == NULL)
        return true;
    if (wish->asker != NULL)
        return add_asker(config, wish, route, err);
    return config->is_of_deck || /* said at the start: passwords come with apply */
           error_set(err, ERROR_DECK, "nothing is known that lets user \"%s\" in", unknown) ||
           error_hint(err, "Give it password_file, password_env or verifier, or the database "
                           "auth_user.");
}
