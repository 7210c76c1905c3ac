/* What is known of a server's host when pgdeck runs on it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Whether the data directory of the server with that system identifier can be read from here:
 * pg_control begins with the identifier (8 bytes, the host's byte order). */
bool host_has_data_directory(const char *data_directory, const char *system_identifier);
/* Memory that processes here may use: the host's, or the lowest limit of this process's cgroup
 * and its parents (v2). 0: unknown. */
int64_t host_memory_bytes(void);
/* CPUs that this process may run on; at least 1. */
int host_cpus(void);
