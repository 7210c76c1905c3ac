// SPDX-License-Identifier: MIT
#include "net/resolver.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* What "db" stands for: this many addresses, 10.0.0.1 on; 0: it cannot be found. */
static atomic_int address_count, first_address, asked;

static void
resolve(const struct net_host *host, struct net_answer *answer)
{
    atomic_fetch_add(&asked, 1);
    assert_string_equal(host->name, "db");
    for (int i = 0; i < atomic_load(&address_count); i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)host->port)};
        address.sin_addr.s_addr = htonl(0x0a000000U + (unsigned)(atomic_load(&first_address) + i));
        memcpy(&answer->addresses[i], &address, sizeof(address));
        answer->lengths[answer->count++] = sizeof(address);
    }
    if (answer->count == 0)
        snprintf(answer->fault, sizeof(answer->fault), "no such name");
}

/* Waits until the answer is another one. */
static void
wait_for_news(struct net_resolver *resolver, unsigned version)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    for (int i = 0; i < 20000 && net_resolver_version(resolver) == version; i++)
        nanosleep(&moment, NULL);
    assert_true(net_resolver_version(resolver) != version);
}

static void
test_answers_follow_the_name(void **state)
{
    const struct net_host host = {"db", 5432}, other = {"db", 5433};
    struct net_answer answer;
    struct error err;

    (void)state;
    address_count = 2;
    first_address = 1;
    struct net_resolver *resolver = net_resolver_new(resolve, &err);
    assert_non_null(resolver);
    assert_false(net_resolver_find(resolver, &host, &answer));
    assert_true(net_resolver_keep(resolver, &host, 1));
    wait_for_news(resolver, 0);
    assert_true(net_resolver_find(resolver, &host, &answer));
    assert_false(net_resolver_find(resolver, &other, &answer));
    assert_int_equal(answer.count, 2);
    assert_int_equal(((struct sockaddr_in *)&answer.addresses[1])->sin_addr.s_addr,
                     htonl(0x0a000002));

    /* Another host; who is told to hurry need not wait 15 s, and the same answer is no news. */
    unsigned version = net_resolver_version(resolver);
    int before = asked;
    first_address = 7;
    net_resolver_hurry(resolver);
    wait_for_news(resolver, version);
    assert_true(net_resolver_find(resolver, &host, &answer));
    assert_int_equal(((struct sockaddr_in *)&answer.addresses[0])->sin_addr.s_addr,
                     htonl(0x0a000007));
    assert_true(asked > before);

    /* A name that cannot be found keeps what it was, and says so. */
    version = net_resolver_version(resolver);
    address_count = 0;
    net_resolver_hurry(resolver);
    wait_for_news(resolver, version);
    assert_true(net_resolver_find(resolver, &host, &answer));
    assert_int_equal(answer.count, 2);
    assert_string_equal(answer.fault, "no such name");

    assert_true(net_resolver_keep(resolver, NULL, 0));
    assert_false(net_resolver_find(resolver, &host, &answer));
    net_resolver_free(resolver);
}

static bool
is_known(const struct net_answer *answer, uint32_t address)
{
    for (size_t i = 0; i < answer->known; i++) {
        if (((const struct sockaddr_in *)&answer->addresses[i])->sin_addr.s_addr == htonl(address))
            return true;
    }
    return false;
}

/* An address is gone when three answers in a row were without it. */
static void
test_an_address_stays_a_while(void **state)
{
    const struct net_host host = {"db", 5432};
    const struct timespec moment = {.tv_nsec = 1000000};
    struct net_answer answer;
    struct error err;

    (void)state;
    address_count = 1;
    first_address = 1;
    struct net_resolver *resolver = net_resolver_new(resolve, &err);
    assert_non_null(resolver);
    assert_true(net_resolver_keep(resolver, &host, 1));
    wait_for_news(resolver, 0);

    unsigned version = net_resolver_version(resolver);
    int before = asked;
    first_address = 2;
    net_resolver_hurry(resolver);
    wait_for_news(resolver, version);
    assert_true(net_resolver_find(resolver, &host, &answer));
    assert_int_equal(answer.count, 1); /* where to go now */
    assert_true(is_known(&answer, 0x0a000002) && is_known(&answer, 0x0a000001));

    version = net_resolver_version(resolver);
    for (int i = 0; i < 20000 && net_resolver_version(resolver) == version; i++) {
        net_resolver_hurry(resolver);
        nanosleep(&moment, NULL);
    }
    assert_true(asked >= before + NET_MISSES_MAX);
    assert_true(net_resolver_find(resolver, &host, &answer));
    assert_true(is_known(&answer, 0x0a000002) && !is_known(&answer, 0x0a000001));
    net_resolver_free(resolver);
}

static void
test_what_is_a_name(void **state)
{
    (void)state;
    assert_true(net_host_is_name("db.example.com"));
    assert_true(net_host_is_name("localhost"));
    assert_false(net_host_is_name("10.0.0.1"));
    assert_false(net_host_is_name("::1"));
    assert_false(net_host_is_name("/run/postgresql"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers_follow_the_name),
                                       cmocka_unit_test(test_an_address_stays_a_while),
                                       cmocka_unit_test(test_what_is_a_name)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
