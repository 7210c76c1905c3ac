// SPDX-License-Identifier: MIT
#include "security/advisor.h"

bool
security_advise(struct advice *advice, struct error *err)
{
    (void)advice;
    (void)err;
    return true;
}
