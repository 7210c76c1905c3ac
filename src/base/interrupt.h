/* Ctrl-C, SIGTERM and SIGHUP as a condition to look at, instead of sudden death: work stops at the
 * next wait, cleans up and reports ERROR_INTERRUPTED. Process-wide, main thread. */
#pragma once
#include "base/error.h"

/* Catches the signals from now on. A second Ctrl-C within the clean-up changes nothing. */
void interrupt_install(void);
bool is_interrupted(void);
/* Readable once interrupted: to be polled beside other descriptors. -1 before install. */
int interrupt_descriptor(void);
/* Sets ERROR_INTERRUPTED and returns false. */
bool interrupt_error(struct error *err);
/* Sleeps; false (with err set) when interrupted before the end. */
bool interrupt_sleep_ms(int milliseconds, struct error *err) MUST_CHECK;
