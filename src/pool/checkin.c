// SPDX-License-Identifier: MIT
#include "pool/checkin.h"

#include <stddef.h>

/* From the top; the first row of which all facts are so decides. */
struct checkin_rule {
    unsigned facts;
    enum pool_verdict verdict;
    const char *reason;
};

enum { GONE = POOL_FACT_GONE };

static const struct checkin_rule rules[] = {
    {POOL_FACT_BROKEN, POOL_CLOSE, "the server broke the protocol, or is gone"},
    {GONE | POOL_FACT_PARTIAL, POOL_CLOSE, "the client left in the middle of a message"},
    {GONE | POOL_FACT_UNSENT, POOL_CLOSE, "the client left before all was sent"},
    {GONE | POOL_FACT_OWED, POOL_CLOSE, "the client left while answers were owed"},
    {GONE | POOL_FACT_COPY, POOL_CLOSE, "the client left within a COPY"},
    {GONE | POOL_FACT_BLOCK, POOL_CLOSE, "the client left within a transaction"},
    {GONE | POOL_FACT_UNREAD, POOL_CLOSE, "the client left before all was read"},
    {POOL_FACT_PARTIAL, POOL_KEEP, "part of a message was sent"},
    {POOL_FACT_UNSENT, POOL_KEEP, "not all was sent"},
    {POOL_FACT_OWED, POOL_KEEP, "answers are owed"},
    {POOL_FACT_COPY, POOL_KEEP, "a COPY is open"},
    {POOL_FACT_BLOCK, POOL_KEEP, "within a transaction"},
    {POOL_FACT_UNREAD, POOL_KEEP, "not all was read"},
    {GONE | POOL_FACT_CANCEL, POOL_WAIT, "a cancel request is on its way"},
    {POOL_FACT_CANCEL | POOL_FACT_SESSION, POOL_KEEP, "session pooling"},
    {POOL_FACT_CANCEL | POOL_FACT_SIGNS, POOL_KEEP, "a cancel request is on its way"},
    {POOL_FACT_CANCEL | POOL_FACT_PINNED, POOL_KEEP, "pinned"},
    {POOL_FACT_CANCEL, POOL_WAIT, "a cancel request is on its way"},
    {GONE | POOL_FACT_SESSION, POOL_RESET, "the session is over"},
    {GONE | POOL_FACT_PINNED, POOL_RESET, "the client left what it was pinned by"},
    {GONE | POOL_FACT_SIGNS, POOL_RESET, "the client left what nobody asked for"},
    {GONE, POOL_RELEASE, "the client left, and left nothing"},
    {POOL_FACT_SESSION, POOL_KEEP, "session pooling"},
    {POOL_FACT_SIGNS, POOL_PROBE, "statements may have left something behind"},
    {POOL_FACT_PINNED, POOL_KEEP, "pinned"},
    {0, POOL_RELEASE, "nothing is owed"},
};

static const struct checkin_rule *
rule_of(unsigned facts)
{
    const struct checkin_rule *rule = rules;

    while ((facts & rule->facts) != rule->facts) /* the last row takes all */
        rule++;
    return rule;
}

enum pool_verdict
pool_checkin(unsigned facts)
{
    return rule_of(facts)->verdict;
}

const char *
pool_checkin_reason(unsigned facts)
{
    return rule_of(facts)->reason;
}
