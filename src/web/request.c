// SPDX-License-Identifier: MIT
#include "web/request.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES_MAX = 255, NAME_BYTES_MAX = 128 };
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/"

/* --- who is asked, and by whom ------------------------------------------------------------ */

static bool
is_port(const char *text)
{
    return text[0] == '\0' || (text[0] == ':' && strlen(text) <= sizeof(":65535") - 1 &&
                               strspn(text + 1, "0123456789") == strlen(text + 1));
}

/* "[::1]:80" */
static bool
is_address_6(const char *host)
{
    const char *end = strchr(host, ']');
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    if (host[0] != '[' || end == NULL || !is_port(end + 1))
        return false;
    size_t length = (size_t)(end - host - 1);
    if (length >= sizeof(address))
        return false;
    memcpy(address, host + 1, length);
    address[length] = '\0';
    return inet_pton(AF_INET6, address, &ignored) == 1;
}

bool
web_host_is_ours(const char *host, const char *const *hosts, size_t host_count)
{
    char name[HOST_BYTES_MAX + 1];
    struct in_addr ignored;

    if (host == NULL)
        return false;
    if (is_address_6(host))
        return true;
    size_t length = strcspn(host, ":");
    if (length == 0 || length > HOST_BYTES_MAX || !is_port(host + length))
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    if (inet_pton(AF_INET, name, &ignored) == 1 || strcasecmp(name, "localhost") == 0)
        return true;
    for (size_t i = 0; i < host_count; i++) {
        if (strcasecmp(name, hosts[i]) == 0)
            return true;
    }
    return false;
}

bool
web_token_is_right(const char *authorization, const char *token)
{
    static const char scheme[] = "Bearer ";

    if (authorization == NULL || strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return false;
    const char *given = authorization + strlen(scheme);
    size_t length = strlen(token);
    return strlen(given) == length && CRYPTO_memcmp(given, token, length) == 0;
}

/* --- what is asked for -------------------------------------------------------------------- */

const char *
web_document_name(const char *path)
{
    static const char folder[] = "/data/";

    if (strcmp(path, "/metrics") == 0)
        return path + 1;
    if (strncmp(path, folder, strlen(folder)) != 0)
        return NULL;
    const char *name = path + strlen(folder);
    size_t length = strlen(name);
    bool is_name = length > 0 && length <= NAME_BYTES_MAX &&
                   strspn(name, NAME_CHARACTERS) == length && strcmp(name, "metrics") != 0;
    return is_name ? name : NULL;
}

const char *
web_asset_path(const char *path, const char **ret_type)
{
    static const char html[] = "text/html; charset=utf-8";
    static const char css[] = "text/css; charset=utf-8";
    static const char script[] = "text/javascript; charset=utf-8";
    static const struct {
        const char *path, *file, *type;
    } assets[] = {
        {"/", "web/assets/index.html", html},
        {"/style.css", "web/assets/style.css", css},
        {"/icon.svg", "web/assets/icon.svg", "image/svg+xml"},
        {"/uplot.css", "web/uplot.css", css},
        {"/uplot.js", "web/uplot.js", script},
        {"/main.js", "web/assets/main.js", script},
        {"/data.js", "web/assets/data.js", script},
        {"/dom.js", "web/assets/dom.js", script},
        {"/format.js", "web/assets/format.js", script},
        {"/chart.js", "web/assets/chart.js", script},
        {"/first.js", "web/assets/first.js", script},
        {"/environment.js", "web/assets/environment.js", script},
        {"/query.js", "web/assets/query.js", script},
        {"/state.js", "web/assets/state.js", script},
    };

    for (size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++) {
        if (strcmp(path, assets[i].path) == 0) {
            *ret_type = assets[i].type;
            return assets[i].file;
        }
    }
    return NULL;
}
