// SPDX-License-Identifier: MIT
#include "pool/config_tls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
pool_config_tls_clients(struct pool_config *config, struct error *err)
{
    const struct deck_pooler *pooler = &config->pooler;
    const struct net_tls_files files = {.certificate = pooler->tls_certificate,
                                        .key = pooler->tls_key,
                                        .authorities = pooler->tls_client_ca};

    if (pooler->tls == DECK_TLS_OFF) {
        if (files.certificate == NULL && files.key == NULL && files.authorities == NULL)
            return true;
        error_set(err, ERROR_DECK, "the pooler has a certificate, but does not use it");
        return error_hint(err, "Let pooler.tls be allow or require.");
    }
    if (files.certificate == NULL || files.key == NULL)
        return error_set(err, ERROR_DECK, "TLS needs pooler.tls_certificate and pooler.tls_key");
    config->tls = net_tls_for_clients(&files, err);
    return config->tls != NULL;
}

/* libpq's own file, where there is one; else what the system trusts. */
static const char *
default_authorities(struct arena *arena)
{
    const char *home = getenv("HOME");
    const char *path = home == NULL ? NULL : arena_printf(arena, "%s/.postgresql/root.crt", home);

    return path != NULL && access(path, R_OK) == 0 ? path : NULL;
}

static bool
read_mode(const char *mode, bool has_authorities, enum net_tls_check *ret_check)
{
    static const struct {
        const char *mode;
        enum net_tls_check check;
    } modes[] = {
        {"require", NET_TLS_CHECK_NONE},
        {"verify-ca", NET_TLS_CHECK_CA},
        {"verify-full", NET_TLS_CHECK_FULL},
    };

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(modes[i].mode, mode) != 0)
            continue;
        *ret_check = modes[i].check;
        if (has_authorities && *ret_check == NET_TLS_CHECK_NONE)
            *ret_check = NET_TLS_CHECK_CA; /* as libpq does */
        return true;
    }
    return false;
}

static const struct pool_tls *
find(const struct pool_config *config, const char *identity)
{
    for (size_t i = 0; i < config->server_tls.count; i++) {
        if (strcmp(config->server_tls.items[i].identity, identity) == 0)
            return &config->server_tls.items[i];
    }
    return NULL;
}

/* The context for these files, made once. */
static bool
find_or_make(struct pool_config *config, const struct net_tls_files *files,
             enum net_tls_check check, struct pool_route *route, struct error *err)
{
    const char *identity = arena_printf(
        config->arena, "%d %s %s %s", (int)check, files->authorities ? files->authorities : "",
        files->certificate ? files->certificate : "", files->key ? files->key : "");
    const struct pool_tls *known = find(config, identity);

    if (known == NULL) {
        struct net_tls *tls = net_tls_for_servers(files, check, err);
        if (tls == NULL)
            return false;
        struct pool_tls *made = LIST_ADD(config->arena, &config->server_tls);
        *made = (struct pool_tls){identity, tls};
        known = made;
    }
    route->tls = known->tls;
    route->tls_identity = identity;
    route->is_server_proven = check == NET_TLS_CHECK_FULL;
    return true;
}

bool
pool_config_tls_server(struct pool_config *config, const struct pool_tls_wish *wish,
                       struct pool_route *route, struct error *err)
{
    bool is_near = net_address_is_loopback(&route->address);
    const char *mode = wish->mode != NULL ? wish->mode : is_near ? "disable" : "verify-full";
    bool is_loose =
        strcmp(mode, "disable") == 0 || strcmp(mode, "allow") == 0 || strcmp(mode, "prefer") == 0;
    struct net_tls_files files = {.certificate = wish->certificate, .key = wish->key};
    enum net_tls_check check;

    route->tls_identity = "";
    if (route->address.is_local || (is_near && is_loose))
        return true;
    if (is_loose) {
        error_set(err, ERROR_REFUSED, "the pool does not connect to %s with sslmode=%s",
                  route->address.display, mode);
        return error_hint(err, "A server elsewhere needs require, verify-ca or, best, "
                               "verify-full.");
    }
    if (!read_mode(mode, wish->authorities != NULL, &check)) {
        error_set(err, ERROR_DECK, "there is no sslmode \"%s\"", mode);
        return error_hint(err, "It is disable, require, verify-ca or verify-full.");
    }
    if ((files.certificate == NULL) != (files.key == NULL))
        return error_set(err, ERROR_DECK, "sslcert and sslkey go together");
    if (check == NET_TLS_CHECK_NONE)
        files.authorities = NULL;
    else if (wish->authorities == NULL)
        files.authorities = default_authorities(config->arena);
    else
        files.authorities = strcmp(wish->authorities, "system") == 0 ? NULL : wish->authorities;
    return find_or_make(config, &files, check, route, err);
}

void
pool_config_tls_release(struct pool_config *config)
{
    net_tls_drop(config->tls);
    for (size_t i = 0; i < config->server_tls.count; i++)
        net_tls_drop(config->server_tls.items[i].tls);
}
