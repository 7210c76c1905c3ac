// SPDX-License-Identifier: MIT
#include "local/certificate.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { DAYS_VALID = 825, SERIAL_BYTES = 16 };

static const char *
text_of(struct arena *arena, BIO *bio)
{
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);

    return length <= 0 ? NULL : arena_strndup(arena, bytes, (size_t)length);
}

static const char *
pem_of(struct arena *arena, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text = NULL;

    if (bio != NULL && PEM_write_bio_X509(bio, certificate) == 1)
        text = text_of(arena, bio);
    BIO_free(bio);
    return text;
}

static const char *
pem_of_key(struct arena *arena, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text = NULL;

    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        text = text_of(arena, bio);
    BIO_free(bio);
    return text;
}

static bool
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool is_added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

static bool
set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] &= 0x7f; /* positive */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool is_set =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return is_set;
}

/* Without extensions and signature. */
static X509 *
begin(const char *name, EVP_PKEY *key, X509 *issuer)
{
    X509 *certificate = X509_new();

    if (certificate == NULL)
        return NULL;
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool is_fine =
        X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), (long)DAYS_VALID * 24 * 3600) != NULL &&
        X509_set_pubkey(certificate, key) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                   -1, 0) == 1 &&
        X509_set_issuer_name(certificate,
                             issuer == NULL ? subject : X509_get_subject_name(issuer)) == 1;
    if (is_fine)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* "DNS:localhost,IP:127.0.0.1" */
static const char *
alternatives(struct arena *arena, const char *const *names, size_t count)
{
    AUTO_TEXT text = {0};
    unsigned char address[sizeof(struct in6_addr)];

    for (size_t i = 0; i < count; i++) {
        bool is_address = inet_pton(AF_INET, names[i], address) == 1 ||
                          inet_pton(AF_INET6, names[i], address) == 1;
        text_appendf(&text, "%s%s:%s", i > 0 ? "," : "", is_address ? "IP" : "DNS", names[i]);
    }
    return arena_strdup(arena, text_chars(&text));
}

static bool
sign(X509 *authority, EVP_PKEY *authority_key, X509 *server, const char *names)
{
    return add_extension(authority, authority, NID_basic_constraints,
                         "critical,CA:TRUE,pathlen:0") &&
           add_extension(authority, authority, NID_key_usage, "critical,keyCertSign") &&
           add_extension(authority, authority, NID_subject_key_identifier, "hash") &&
           X509_sign(authority, authority_key, EVP_sha256()) != 0 &&
           add_extension(server, authority, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(server, authority, NID_ext_key_usage, "serverAuth") &&
           add_extension(server, authority, NID_authority_key_identifier, "keyid") &&
           add_extension(server, authority, NID_subject_alt_name, names) &&
           X509_sign(server, authority_key, EVP_sha256()) != 0;
}

bool
local_certificate_make(struct arena *arena, const char *const *names, size_t count,
                       struct local_certificate *ret_certificate, struct error *err)
{
    EVP_PKEY *authority_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *authority =
        authority_key == NULL ? NULL : begin("pgdeck private server", authority_key, NULL);
    X509 *server = key == NULL || authority == NULL ? NULL : begin(names[0], key, authority);
    struct local_certificate made = {0};

    if (server != NULL && sign(authority, authority_key, server, alternatives(arena, names, count)))
        made = (struct local_certificate){pem_of(arena, authority), pem_of(arena, server),
                                          pem_of_key(arena, key)};
    X509_free(server);
    X509_free(authority);
    EVP_PKEY_free(key);
    EVP_PKEY_free(authority_key);
    if (made.authority == NULL || made.certificate == NULL || made.key == NULL)
        return error_set(err, ERROR_INTERNAL, "cannot make the server's certificate");
    *ret_certificate = made;
    return true;
}
