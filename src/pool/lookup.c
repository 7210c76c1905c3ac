// SPDX-License-Identifier: MIT
#include "pool/lookup.h"

#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WAITING_MAX = 256, CONNECTIONS_MAX = 8 };

struct question {
    uint64_t client;
    char *conninfo, *query;
    char login[POOL_LOOKUP_LOGIN_BYTES];
};

struct connection {
    char *conninfo;
    PGconn *link;
};

struct pool_lookup {
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows, up to the connections */
    pthread_cond_t is_asked;
    struct question questions[WAITING_MAX]; /* a ring */
    struct pool_lookup_answer answers[WAITING_MAX];
    size_t question_at, question_count, answer_at, answer_count;
    bool is_stopping;
    struct connection connections[CONNECTIONS_MAX]; /* the thread's */
    size_t next_connection;
    int event;
};

static void
forget(struct question *question)
{
    if (question->conninfo != NULL)
        OPENSSL_clear_free(question->conninfo, strlen(question->conninfo) + 1);
    free(question->query);
    *question = (struct question){0};
}

static void
disconnect(struct connection *connection)
{
    PQfinish(connection->link);
    if (connection->conninfo != NULL)
        OPENSSL_clear_free(connection->conninfo, strlen(connection->conninfo) + 1);
    *connection = (struct connection){0};
}

static char *
copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *made = OPENSSL_malloc(size);

    return made == NULL ? NULL : memcpy(made, text, size);
}

/* One that is open, or the place of the oldest, opened. */
static struct connection *
find_connection(struct pool_lookup *lookup, const char *conninfo)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *one = &lookup->connections[i];
        if (one->conninfo == NULL || strcmp(one->conninfo, conninfo) != 0)
            continue;
        if (PQstatus(one->link) == CONNECTION_OK)
            return one;
        disconnect(one);
    }
    struct connection *made = &lookup->connections[lookup->next_connection];
    lookup->next_connection = (lookup->next_connection + 1) % CONNECTIONS_MAX;
    disconnect(made);
    made->conninfo = copy(conninfo);
    made->link = made->conninfo == NULL ? NULL : PQconnectdb(conninfo);
    return made;
}

static void
note_fault(struct pool_lookup_answer *answer, const char *message)
{
    snprintf(answer->fault, sizeof(answer->fault), "%s", message);
    answer->fault[strcspn(answer->fault, "\n")] = '\0';
}

/* Once more where the connection was lost since the last question. */
static void
ask(struct pool_lookup *lookup, const struct question *question, struct pool_lookup_answer *answer)
{
    const char *const values[] = {question->login};

    for (int round = 0; round < 2; round++) {
        answer->fault[0] = '\0';
        struct connection *connection = find_connection(lookup, question->conninfo);
        if (PQstatus(connection->link) != CONNECTION_OK) {
            note_fault(answer, PQerrorMessage(connection->link));
            disconnect(connection);
            return;
        }
        PGresult *result =
            PQexecParams(connection->link, question->query, 1, NULL, values, NULL, NULL, 0);
        bool is_fine = PQresultStatus(result) == PGRES_TUPLES_OK && PQnfields(result) >= 1;
        bool is_lost = PQstatus(connection->link) != CONNECTION_OK;
        if (is_fine && PQntuples(result) == 1 &&
            PQgetlength(result, 0, PQnfields(result) - 1) < POOL_LOOKUP_VERIFIER_BYTES)
            snprintf(answer->verifier, sizeof(answer->verifier), "%s",
                     PQgetvalue(result, 0, PQnfields(result) - 1));
        else if (!is_fine)
            note_fault(answer, PQerrorMessage(connection->link));
        PQclear(result);
        if (is_fine || !is_lost)
            return;
        disconnect(connection);
    }
}

static void *
work(void *context)
{
    struct pool_lookup *lookup = context;
    const uint64_t one = 1;

    pthread_mutex_lock(&lookup->mutex);
    while (!lookup->is_stopping) {
        if (lookup->question_count == 0) {
            pthread_cond_wait(&lookup->is_asked, &lookup->mutex);
            continue;
        }
        struct question question = lookup->questions[lookup->question_at];
        lookup->questions[lookup->question_at] = (struct question){0};
        pthread_mutex_unlock(&lookup->mutex);
        struct pool_lookup_answer answer = {.client = question.client};
        ask(lookup, &question, &answer);
        forget(&question);
        pthread_mutex_lock(&lookup->mutex);
        lookup->question_at = (lookup->question_at + 1) % WAITING_MAX;
        lookup->question_count--;
        lookup->answers[(lookup->answer_at + lookup->answer_count++) % WAITING_MAX] = answer;
        if (write(lookup->event, &one, sizeof(one)) < 0)
            continue; /* it is full: somebody will look anyway */
    }
    pthread_mutex_unlock(&lookup->mutex);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        disconnect(&lookup->connections[i]);
    return NULL;
}

struct pool_lookup *
pool_lookup_new(struct error *err)
{
    struct pool_lookup *lookup = calloc(1, sizeof(*lookup));
    sigset_t all, before;

    if (lookup == NULL) {
        error_set(err, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&lookup->mutex, NULL);
    pthread_cond_init(&lookup->is_asked, NULL);
    lookup->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the daemon's */
    int fault = lookup->event < 0 ? -1 : pthread_create(&lookup->thread, NULL, work, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (fault == 0)
        return lookup;
    error_set(err, ERROR_INTERNAL, "cannot start the thread that asks for verifiers");
    if (lookup->event >= 0)
        close(lookup->event);
    free(lookup);
    return NULL;
}

void
pool_lookup_free(struct pool_lookup *lookup)
{
    if (lookup == NULL)
        return;
    pthread_mutex_lock(&lookup->mutex);
    lookup->is_stopping = true;
    pthread_cond_signal(&lookup->is_asked);
    pthread_mutex_unlock(&lookup->mutex);
    pthread_join(lookup->thread, NULL);
    for (size_t i = 0; i < WAITING_MAX; i++)
        forget(&lookup->questions[i]);
    OPENSSL_cleanse(lookup->answers, sizeof(lookup->answers));
    close(lookup->event);
    pthread_cond_destroy(&lookup->is_asked);
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

int
pool_lookup_descriptor(const struct pool_lookup *lookup)
{
    return lookup->event;
}

bool
pool_lookup_ask(struct pool_lookup *lookup, const struct pool_lookup_question *question)
{
    struct question own = {.client = question->client,
                           .conninfo = copy(question->conninfo),
                           .query = strdup(question->query)};
    bool is_taken = false;

    snprintf(own.login, sizeof(own.login), "%s", question->login);
    pthread_mutex_lock(&lookup->mutex);
    if (own.conninfo != NULL && own.query != NULL &&
        lookup->question_count + lookup->answer_count < WAITING_MAX) {
        size_t end = (lookup->question_at + lookup->question_count++) % WAITING_MAX;
        lookup->questions[end] = own;
        is_taken = true;
        pthread_cond_signal(&lookup->is_asked);
    }
    pthread_mutex_unlock(&lookup->mutex);
    if (!is_taken)
        forget(&own);
    return is_taken;
}

bool
pool_lookup_take(struct pool_lookup *lookup, struct pool_lookup_answer *ret_answer)
{
    uint64_t count;
    bool is_there;

    pthread_mutex_lock(&lookup->mutex);
    is_there = lookup->answer_count > 0;
    if (is_there) {
        *ret_answer = lookup->answers[lookup->answer_at];
        OPENSSL_cleanse(&lookup->answers[lookup->answer_at], sizeof(*ret_answer));
        lookup->answer_at = (lookup->answer_at + 1) % WAITING_MAX;
        lookup->answer_count--;
    } else if (read(lookup->event, &count, sizeof(count)) < 0) {
        /* nobody has written since */
    }
    pthread_mutex_unlock(&lookup->mutex);
    return is_there;
}
