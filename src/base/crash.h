/* Places where a test can kill the process: the n-th that is passed when PGDECK_CRASH_AT=n. */
#pragma once

void crash_point(void);
