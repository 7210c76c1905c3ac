// SPDX-License-Identifier: MIT
#include "health/certificate.h"

#include "pg/certificate.h"

#include <stdlib.h>

void
health_certificate(struct arena *arena, PGconn *connection, int timeout_ms,
                   struct health_finding *ret_finding, bool *ret_has_tls)
{
    struct pg_certificate shown;
    struct error fault = {0};
    struct health_finding finding = {.severity = HEALTH_UNKNOWN,
                                     .rank = 30,
                                     .check = HEALTH_CERTIFICATE,
                                     .finding = "not measurable now",
                                     .confidence = "not measured"};

    if (!pg_certificate_shown(arena, connection, timeout_ms, &shown, ret_has_tls, &fault)) {
        finding.evidence = arena_strdup(arena, fault.message);
    } else if (*ret_has_tls) {
        finding.severity = shown.days < 0                          ? HEALTH_CRITICAL
                           : shown.days < PG_CERTIFICATE_DAYS_LEFT ? HEALTH_WARNING
                                                                   : HEALTH_OK;
        finding.finding =
            shown.days < 0
                ? arena_printf(arena, "the server's certificate expired %d days ago",
                               abs(shown.days))
                : arena_printf(arena, "the server's certificate holds for %d days", shown.days);
        finding.evidence = arena_printf(arena, "%s, until %s", shown.subject, shown.ends);
        finding.confidence = "measured";
    }
    *ret_finding = finding;
}
