// SPDX-License-Identifier: MIT
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const unsigned char protocol[] = "\x0apostgresql"; /* ALPN: length and name */

struct net_tls {
    SSL_CTX *context;
    BIO_METHOD *method; /* reads and writes through the stream's own transport */
    enum net_tls_check check;
    atomic_uint references;
    long long expires_s;
    bool is_key_locked; /* a passphrase was asked for */
};

struct net_tls_session {
    struct net_tls *tls;
    SSL *ssl;
    const struct net_transport *under;
    uint8_t *first; /* read before the handshake */
    size_t first_at, first_bytes;
    bool is_dry;           /* the socket is empty, as far as is known, or not to be read now */
    bool wants_write;      /* the owner does */
    bool needs_write;      /* it must write before it can read */
    bool is_write_blocked; /* it must read before it can write */
    bool is_done;          /* the handshake */
    char fault[256];
};

/* --- through the stream's own transport ---------------------------------------------------- */

static int
under_read(BIO *bio, char *bytes, int count)
{
    struct net_stream *stream = BIO_get_data(bio);
    struct net_tls_session *session = stream->secure;

    BIO_clear_retry_flags(bio);
    if (session->first != NULL) {
        size_t left = session->first_bytes - session->first_at;
        size_t taken = left < (size_t)count ? left : (size_t)count;
        memcpy(bytes, session->first + session->first_at, taken);
        session->first_at += taken;
        if (taken == left) {
            free(session->first);
            session->first = NULL;
        }
        return (int)taken;
    }
    ssize_t got = -1;
    errno = EAGAIN;
    if (!session->is_dry)
        got = session->under->receive(stream, bytes, (size_t)count);
    /* A short read has emptied the socket: no need to ask again before the next event. */
    session->is_dry = got < count && !stream->has_ended;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)got;
}

static int
under_write(BIO *bio, const char *bytes, int count)
{
    struct net_stream *stream = BIO_get_data(bio);
    struct net_tls_session *session = stream->secure;
    ssize_t sent = session->under->send(stream, bytes, (size_t)count);

    BIO_clear_retry_flags(bio);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)sent;
}

static long
under_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* nothing is kept here */
}

static BIO_METHOD *
new_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");

    if (method == NULL)
        return NULL;
    BIO_meth_set_read(method, under_read);
    BIO_meth_set_write(method, under_write);
    BIO_meth_set_ctrl(method, under_control);
    return method;
}

/* --- a stream over TLS --------------------------------------------------------------------- */

static void
note_fault(struct net_tls_session *session)
{
    long verdict = SSL_get_verify_mode(session->ssl) == SSL_VERIFY_NONE
                       ? X509_V_OK
                       : SSL_get_verify_result(session->ssl);
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);

    if (session->fault[0] != '\0')
        return;
    if (verdict != X509_V_OK)
        snprintf(session->fault, sizeof(session->fault), "%s: %s",
                 reason == NULL ? "certificate verify failed" : reason,
                 X509_verify_cert_error_string(verdict));
    else
        snprintf(session->fault, sizeof(session->fault), "%s",
                 reason == NULL ? "the other side closed the connection" : reason);
}

/* Asks to be told once more that it can be written now. */
static void
write_again(struct net_stream *stream, struct net_tls_session *session)
{
    session->is_write_blocked = false;
    if (!session->wants_write)
        return;
    session->under->want_write(stream, false);
    session->under->want_write(stream, true);
}

/* What a call has come to, as of a socket: 1 go on, 0 the end, -1 with errno. */
static int
outcome(struct net_stream *stream, int result, bool is_write)
{
    struct net_tls_session *session = stream->secure;

    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        session->is_write_blocked |= is_write;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_WRITE:
        session->needs_write = true;
        session->under->want_write(stream, true);
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        stream->has_ended = true;
        return 0;
    default:
        stream->has_ended = true;
        if (session->is_done && ERR_peek_error() == 0)
            return 0; /* closed without a farewell, as many do; messages have lengths */
        note_fault(session);
        errno = EPROTO;
        return -1;
    }
}

static int
shake_hands(struct net_stream *stream, bool is_write)
{
    struct net_tls_session *session = stream->secure;

    if (session->is_done)
        return 1;
    ERR_clear_error();
    int result = SSL_do_handshake(session->ssl);
    if (result != 1) {
        int what = outcome(stream, result, is_write);
        if (what == 0) {
            note_fault(session);
            errno = EPROTO;
        }
        return -1;
    }
    session->is_done = true;
    return 1;
}

/* Reads until there is no more or bytes are full, so that less than count means: nothing is left,
 * as with a socket. */
static ssize_t
tls_receive(struct net_stream *stream, void *bytes, size_t count)
{
    struct net_tls_session *session = stream->secure;
    size_t filled = 0;
    int what = 1;

    session->is_dry = false;
    session->needs_write = false;
    what = shake_hands(stream, false);
    while (what == 1 && filled < count) {
        size_t got = 0;
        ERR_clear_error();
        int result = SSL_read_ex(session->ssl, (char *)bytes + filled, count - filled, &got);
        filled += result == 1 ? got : 0;
        what = result == 1 ? 1 : outcome(stream, result, false);
    }
    int fault = errno;
    stream->is_partial = SSL_has_pending(session->ssl) == 1;
    if (session->is_done && session->is_write_blocked)
        write_again(stream, session);
    errno = fault;
    return filled > 0 ? (ssize_t)filled : what;
}

static ssize_t
tls_send(struct net_stream *stream, const void *bytes, size_t count)
{
    struct net_tls_session *session = stream->secure;
    size_t sent = 0;

    session->is_dry = true; /* only receive reads, so that nothing comes in unseen */
    int what = shake_hands(stream, true);

    while (what == 1 && sent < count) {
        size_t taken = 0;
        ERR_clear_error();
        int result = SSL_write_ex(session->ssl, (const char *)bytes + sent, count - sent, &taken);
        sent += result == 1 ? taken : 0;
        what = result == 1 ? 1 : outcome(stream, result, true);
    }
    if (sent > 0)
        return (ssize_t)sent;
    if (what == 0) {
        errno = EPIPE;
        what = -1;
    }
    return what;
}

static void
tls_want_write(struct net_stream *stream, bool is_wanted)
{
    struct net_tls_session *session = stream->secure;

    session->wants_write = is_wanted;
    session->under->want_write(stream, is_wanted || session->needs_write);
}

static void
session_free(struct net_tls_session *session)
{
    SSL_free(session->ssl);
    free(session->first);
    net_tls_drop(session->tls);
    free(session);
}

static void
tls_close(struct net_stream *stream)
{
    struct net_tls_session *session = stream->secure;
    const struct net_transport *under = session->under;

    ERR_clear_error();
    if (session->is_done && session->fault[0] == '\0')
        (void)SSL_shutdown(session->ssl); /* a farewell, if it can be sent now */
    session_free(session);
    stream->secure = NULL;
    stream->is_partial = false;
    stream->transport = under;
    under->close(stream);
}

static const struct net_transport tls_transport = {tls_receive, tls_send, tls_want_write,
                                                   tls_close};

static struct net_tls_session *
session_new(struct net_tls *tls, struct net_stream *stream)
{
    struct net_tls_session *session = calloc(1, sizeof(*session));

    if (session == NULL)
        return NULL;
    atomic_fetch_add(&tls->references, 1);
    session->tls = tls;
    session->under = stream->transport;
    session->wants_write = stream->wants_write;
    session->ssl = SSL_new(tls->context);
    BIO *bio = session->ssl == NULL ? NULL : BIO_new(tls->method);
    if (bio == NULL) {
        session_free(session);
        return NULL;
    }
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    return session;
}

static void
start(struct net_stream *stream, struct net_tls_session *session)
{
    stream->secure = session;
    stream->transport = &tls_transport;
}

bool
net_tls_accept(struct net_tls *tls, struct net_stream *stream, const void *first,
               size_t first_bytes)
{
    struct net_tls_session *session = session_new(tls, stream);

    if (session == NULL)
        return false;
    if (first_bytes > 0) {
        session->first = malloc(first_bytes);
        if (session->first == NULL) {
            session_free(session);
            return false;
        }
        memcpy(session->first, first, first_bytes);
        session->first_bytes = first_bytes;
    }
    SSL_set_accept_state(session->ssl);
    start(stream, session);
    stream->is_readable |= first_bytes > 0;
    return true;
}

bool
net_tls_connect(struct net_tls *tls, struct net_stream *stream, const char *host)
{
    struct net_tls_session *session = session_new(tls, stream);
    uint8_t address[sizeof(struct in6_addr)];
    bool is_set = true;

    if (session == NULL)
        return false;
    SSL_set_connect_state(session->ssl);
    if (host != NULL && host[0] != '/') {
        bool is_address =
            inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
        X509_VERIFY_PARAM *check = SSL_get0_param(session->ssl);
        if (tls->check == NET_TLS_CHECK_FULL)
            is_set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(check, host) == 1
                                : X509_VERIFY_PARAM_set1_host(check, host, 0) == 1;
        if (!is_address)
            is_set = is_set && SSL_set_tlsext_host_name(session->ssl, host) == 1;
    }
    if (!is_set) {
        session_free(session);
        return false;
    }
    start(stream, session);
    return true;
}

void
net_tls_carry(struct net_stream *stream, const struct net_stream *before)
{
    struct net_tls_session *session = before->secure;

    if (session == NULL)
        return;
    session->under = stream->transport;
    start(stream, session);
}

void
net_tls_forget(struct net_stream *stream)
{
    if (stream->secure != NULL)
        session_free(stream->secure);
    stream->secure = NULL;
}

/* --- what is known of it ------------------------------------------------------------------- */

bool
net_tls_has_protocol(const struct net_stream *stream)
{
    const unsigned char *name = NULL;
    unsigned length = 0;

    if (stream->secure == NULL)
        return false;
    SSL_get0_alpn_selected(stream->secure->ssl, &name, &length);
    return length == protocol[0] && memcmp(name, protocol + 1, length) == 0;
}

bool
net_tls_peer_name(const struct net_stream *stream, char *name, size_t size)
{
    const SSL *ssl = stream->secure == NULL ? NULL : stream->secure->ssl;
    X509 *certificate = ssl == NULL ? NULL : SSL_get0_peer_certificate(ssl);
    unsigned char *text = NULL;
    bool is_fine = false;

    if (certificate == NULL || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ||
        SSL_get_verify_result(ssl) != X509_V_OK)
        return false;
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return false; /* of two names neither is it */
    int length =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length > 0 && (size_t)length < size && memchr(text, '\0', (size_t)length) == NULL) {
        memcpy(name, text, (size_t)length);
        name[length] = '\0';
        is_fine = true;
    }
    OPENSSL_free(text);
    return is_fine;
}

const char *
net_tls_text(const struct net_stream *stream, char *text, size_t size)
{
    text[0] = '\0';
    if (stream->secure != NULL && stream->secure->is_done)
        snprintf(text, size, "%s/%s", SSL_get_version(stream->secure->ssl),
                 SSL_get_cipher_name(stream->secure->ssl));
    return text;
}

const char *
net_tls_fault(const struct net_stream *stream)
{
    return stream->secure == NULL ? "" : stream->secure->fault;
}

/* --- certificates -------------------------------------------------------------------------- */

static bool
fault(struct error *err, const char *what, const char *file)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);

    if (ERR_SYSTEM_ERROR(code))
        reason = strerror(ERR_GET_REASON(code));
    return error_set(err, ERROR_FILE, "cannot use the %s \"%s\": %s", what, file,
                     reason == NULL ? "it is not in PEM format" : reason);
}

/* A key that asks for a passphrase gets none, instead of a prompt. */
static int
no_passphrase(char *buffer, int size, int is_write, void *context)
{
    struct net_tls *tls = context;

    (void)is_write;
    tls->is_key_locked = true;
    if (size > 0)
        buffer[0] = '\0';
    return 0;
}

static bool
locked_key(const char *path, struct error *err)
{
    error_set(err, ERROR_FILE, "the key \"%s\" is protected by a passphrase", path);
    return error_hint(err, "Nobody is there to type it when the server starts: give the key "
                           "without one, with mode 600.");
}

static bool
is_key_safe(const char *path, struct error *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return error_errno(err, "cannot read the key \"%s\"", path);
    bool is_own = status.st_uid == geteuid() && (status.st_mode & 077) == 0;
    bool is_roots = status.st_uid == 0 && (status.st_mode & 037) == 0;
    if (is_own || is_roots)
        return true;
    error_set(err, ERROR_FILE, "the key \"%s\" is not safe", path);
    return error_hint(err, "It must be your own with mode 600, or root's with mode 640.");
}

static bool
check_dates(struct net_tls *tls, const char *path, struct error *err)
{
    const X509 *certificate = SSL_CTX_get0_certificate(tls->context);
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    struct tm parts = {0};

    if (ASN1_TIME_to_tm(end, &parts) != 1)
        return error_set(err, ERROR_FILE, "the certificate \"%s\" has no end", path);
    tls->expires_s = timegm(&parts);
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        return error_set(err, ERROR_FILE, "the certificate \"%s\" is not valid yet", path);
    if (X509_cmp_current_time(end) < 0)
        return error_set(err, ERROR_FILE, "the certificate \"%s\" expired at %04d-%02d-%02d", path,
                         parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
    return true;
}

static bool
take_files(struct net_tls *tls, const struct net_tls_files *files, struct error *err)
{
    SSL_CTX *context = tls->context;

    ERR_clear_error();
    if (files->authorities != NULL && SSL_CTX_load_verify_file(context, files->authorities) != 1)
        return fault(err, "authorities", files->authorities);
    if (files->certificate == NULL)
        return true;
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
        return fault(err, "certificate", files->certificate);
    if (!is_key_safe(files->key, err))
        return false;
    if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1) {
        if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
            return error_set(err, ERROR_FILE, "the key \"%s\" is not the certificate's \"%s\"",
                             files->key, files->certificate);
        if (tls->is_key_locked)
            return locked_key(files->key, err);
        return fault(err, "key", files->key);
    }
    return check_dates(tls, files->certificate, err);
}

static struct net_tls *
tls_new(const SSL_METHOD *side, struct error *err)
{
    struct net_tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL || (tls->context = SSL_CTX_new(side)) == NULL ||
        (tls->method = new_method()) == NULL) {
        net_tls_drop(tls);
        error_set(err, ERROR_INTERNAL, "cannot set up TLS");
        return NULL;
    }
    tls->references = 1;
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_options(tls->context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                          SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(tls->context, 0);
    SSL_CTX_set_read_ahead(tls->context, 1);
    SSL_CTX_set_default_passwd_cb(tls->context, no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(tls->context, tls);
    return tls;
}

/* Who asks for protocols must ask for PostgreSQL's: no other service's client is let in. */
static int
choose_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_length,
                const unsigned char *names, unsigned bytes, void *context)
{
    unsigned char *name;

    (void)ssl;
    (void)context;
    if (SSL_select_next_proto(&name, ret_length, protocol, sizeof(protocol) - 1, names, bytes) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

struct net_tls *
net_tls_for_clients(const struct net_tls_files *files, struct error *err)
{
    struct net_tls *tls = tls_new(TLS_server_method(), err);

    if (tls == NULL)
        return NULL;
    if (!take_files(tls, files, err)) {
        net_tls_drop(tls);
        return NULL;
    }
    SSL_CTX_set_alpn_select_cb(tls->context, choose_protocol, NULL);
    if (files->authorities != NULL) {
        SSL_CTX_set_client_CA_list(tls->context, SSL_load_client_CA_file(files->authorities));
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    }
    return tls;
}

struct net_tls *
net_tls_for_servers(const struct net_tls_files *files, enum net_tls_check check, struct error *err)
{
    struct net_tls *tls = tls_new(TLS_client_method(), err);

    if (tls == NULL)
        return NULL;
    tls->check = check;
    SSL_CTX_set_alpn_protos(tls->context, protocol, sizeof(protocol) - 1);
    if (check != NET_TLS_CHECK_NONE) {
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
        if (files->authorities == NULL)
            SSL_CTX_set_default_verify_paths(tls->context);
    }
    if (take_files(tls, files, err))
        return tls;
    net_tls_drop(tls);
    return NULL;
}

void
net_tls_drop(struct net_tls *tls)
{
    if (tls == NULL || atomic_fetch_sub(&tls->references, 1) > 1)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->method);
    free(tls);
}

long long
net_tls_expires_s(const struct net_tls *tls)
{
    return tls->expires_s;
}
