/* Files that tools/embed built into the binary: SQL statements, pages, style sheets. Constant. */
#pragma once
#include <stddef.h>

struct embedded_file {
    const char *path; /* from src/, e.g. "pg/sql/catalog_tables.sql" */
    const char *text; /* NUL-terminated */
    size_t length;
    int min_version; /* PostgreSQL majors from the `-- servers: 14..18` line; 0 = any */
    int max_version; /* 0 = no upper bound ("14..") */
};

extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

/* The file of that path; asserts that it exists (a missing file is a programmer's mistake). */
const struct embedded_file *embedded_file(const char *path);
/* The value of the header line `-- key: value` of an embedded SQL file, copied into value
 * (cut to size); NULL when there is no such line. */
const char *
embedded_header(const struct embedded_file *file, const char *key, char *value, size_t size);
