/* What the server thinks of a request, without sockets. Inner side of web/web.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { WEB_TOKEN_BYTES_MIN = 16 };

/* Whether the Host header names this server: an address, localhost or one of hosts, with any port
 * (a tunnel may have another). A page of somebody else whose name was made to lead here (DNS
 * rebinding) says its own name. */
bool web_host_is_ours(const char *host, const char *const *hosts, size_t host_count);
/* Whether the Authorization header is "Bearer TOKEN". Takes the same time however much is right. */
bool web_token_is_right(const char *authorization, const char *token);
/* The name of the document that a path asks for ("/data/overview" is "overview", "/metrics"
 * "metrics"); NULL when it asks for none. */
const char *web_document_name(const char *path);
/* The embedded file that a path asks for: a path within src/, its type; NULL: none. */
const char *web_asset_path(const char *path, const char **ret_type);
