// SPDX-License-Identifier: MIT
#include "plan/advisors.h"

#include "index/advisor.h"
#include "monitoring/advisor.h"
#include "partition/advisor.h"
#include "rollup/advisor.h"
#include "schema/advisor.h"
#include "security/advisor.h"
#include "settings/advisor.h"

/* The order in which changes of one phase are added; phases order the rest. */
const struct advisor advisors[] = {
    {"security", ADVISOR_SECURITY, security_advise},
    {"schema", ADVISOR_SCHEMA, schema_advise},
    {"partition", ADVISOR_PARTITION, partition_advise},
    {"index", ADVISOR_INDEX, index_advise},
    {"rollup", ADVISOR_ROLLUP, rollup_advise},
    {"monitoring", ADVISOR_MONITORING, monitoring_advise},
    {"settings", ADVISOR_SETTINGS, settings_advise},
};
const size_t advisor_count = sizeof(advisors) / sizeof(advisors[0]);
