// SPDX-License-Identifier: MIT
#include "pg/certificate.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* --- as a file ---------------------------------------------------------------------------- */

static const char *
hexadecimal(struct arena *arena, const unsigned char *bytes, unsigned length)
{
    char *text = arena_strdup(arena, "");

    for (unsigned i = 0; i < length; i++)
        text = arena_printf(arena, "%s%02x", text, bytes[i]);
    return text;
}

static const char *
subject_of(struct arena *arena, const X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = 0;

    if (bio != NULL &&
        X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE) >= 0)
        length = BIO_get_mem_data(bio, &text);
    const char *kept = arena_strndup(arena, text == NULL ? "" : text, (size_t)length);
    BIO_free(bio);
    return kept;
}

static const char *
time_text(struct arena *arena, const ASN1_TIME *time)
{
    struct tm parts;
    char text[64];

    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return "";
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return arena_strdup(arena, text);
}

static bool
describe(struct arena *arena, const X509 *certificate, struct pg_certificate *ret_certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    int seconds;
    struct pg_certificate told = {.subject = subject_of(arena, certificate),
                                  .ends = time_text(arena, X509_get0_notAfter(certificate))};

    if (ASN1_TIME_diff(&told.days, &seconds, NULL, X509_get0_notAfter(certificate)) != 1 ||
        X509_digest(certificate, EVP_sha256(), digest, &length) != 1)
        return false;
    if (seconds < 0 && told.days == 0)
        told.days = -1;
    told.fingerprint = hexadecimal(arena, digest, length);
    *ret_certificate = told;
    return true;
}

bool
pg_certificate_read(struct arena *arena, const char *pem, struct pg_certificate *ret_certificate,
                    struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool is_read = certificate != NULL && describe(arena, certificate, ret_certificate);

    X509_free(certificate);
    BIO_free(bio);
    return is_read || error_set(err, ERROR_FILE, "it holds no certificate in PEM");
}

/* --- as it is shown ----------------------------------------------------------------------- */

static int
open_socket(PGconn *connection, int timeout_ms)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    const struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000L};
    const char *host = PQhostaddr(connection);
    struct addrinfo *address;
    int made = -1;

    if (host == NULL || host[0] == '\0' || host[0] == '/')
        host = "127.0.0.1";
    if (getaddrinfo(host, PQport(connection), &hints, &address) != 0)
        return -1;
    made = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made >= 0) {
        setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)); /* connect, too */
        if (connect(made, address->ai_addr, address->ai_addrlen) != 0) {
            close(made);
            made = -1;
        }
    }
    freeaddrinfo(address);
    return made;
}

/* SSLRequest of the protocol: length 8, code 80877103; the answer is one letter. */
static bool
has_tls(int server)
{
    static const unsigned char request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
    char answer = '\0';

    return send(server, request, sizeof(request), MSG_NOSIGNAL) == (ssize_t)sizeof(request) &&
           recv(server, &answer, 1, 0) == 1 && answer == 'S';
}

static bool
shake_hands(struct arena *arena, int server, struct pg_certificate *ret_certificate)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = context == NULL ? NULL : SSL_new(context);
    bool is_shown = false;

    if (tls != NULL && SSL_set_fd(tls, server) == 1) {
        (void)SSL_connect(tls); /* a server that wants a client's certificate has shown its own */
        X509 *certificate = SSL_get1_peer_certificate(tls);
        is_shown = certificate != NULL && describe(arena, certificate, ret_certificate);
        X509_free(certificate);
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    return is_shown;
}

bool
pg_certificate_shown(struct arena *arena, PGconn *connection, int timeout_ms,
                     struct pg_certificate *ret_certificate, bool *ret_has_tls, struct error *err)
{
    int server = open_socket(connection, timeout_ms);
    bool is_fine = true;

    *ret_has_tls = server >= 0 && has_tls(server);
    if (*ret_has_tls && !shake_hands(arena, server, ret_certificate))
        is_fine = error_set(err, ERROR_UNREACHABLE, "the server shows no certificate");
    if (server >= 0)
        close(server);
    return is_fine;
}
