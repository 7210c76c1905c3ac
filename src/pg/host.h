/* What is known of a server's host when pgdeck runs on it. */
#pragma once
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the data directory of the server with that system identifier can be read from here:
 * pg_control begins with the identifier (8 bytes, the host's byte order). */
bool host_has_data_directory(const char *data_directory, const char *system_identifier);
/* Whether the server of that connection runs here: the connection's ends have one address (or it is
 * a Unix socket), and its backend is a process here. A tunnel or a container is another machine. */
bool host_has_backend(const PGconn *connection, int backend_pid);
/* Memory that processes here may use: the host's, or its control group's limit where that is
 * lower. 0: unknown. */
int64_t host_memory_bytes(void);
/* The lowest limit of this process's control group and its parents, v1 and v2; INT64_MAX (or, with
 * v1, another number beyond all memory): none. root: "", or a folder with proc and sys in it. */
int64_t host_memory_limit(const char *root);
/* CPUs that this process may run on, or as many as its control group pays for; at least 1. */
int host_cpus(void);
/* The same limit for CPUs, rounded up; INT_MAX: none. */
int host_cpu_limit(const char *root);
