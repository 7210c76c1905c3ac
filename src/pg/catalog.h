/* One snapshot of a server and its databases, read at once with a fixed small number of round
 * trips a database, whatever its size. Constant once read; lives in the plan's arena. The open
 * connections stay with the snapshot for probes, until catalog_release.
 * Empty names: text is never NULL unless it says so. */
#pragma once
#include "base/arena.h"
#include "pg/connection.h"
#include <stdint.h>

struct catalog_setting { /* pg_settings */
    const char *name, *setting, *unit, *context, *vartype, *source;
    const char *boot_value, *reset_value;
    const char *min_value, *max_value; /* "" : none */
    const char *enum_values;           /* text[] output; "" : none */
    const char *source_file;           /* "" : unknown or not permitted */
    int source_line;
    bool is_pending_restart;
    /* Below a superuser, from 15 on: granted to this role for this parameter. */
    bool can_set, can_alter_system;
    const char *auto_value; /* in postgresql.auto.conf; NULL: not there or not readable */
    /* What the configuration files say, even if it waits for a reload or a restart: of several
     * entries the one that counts. NULL: they say nothing, or are not readable. */
    const struct catalog_file_setting *in_files;
    /* It comes from a file whose line for it has been removed, not read again since. */
    bool is_line_gone;
};

struct catalog_file_setting { /* pg_file_settings, in the order in which the files are read */
    const char *file;
    int line;
    const char *name, *setting; /* "" in a line that is no setting */
    const char *error; /* "" : none. Such a line keeps the whole configuration from being read,
                        * except that of a parameter that only waits for a restart */
};

struct catalog_role {
    const char *name;
    uint32_t oid;
    bool can_login, is_superuser, can_create_database, can_create_role;
    int connection_limit;
    char **member_of;
    size_t member_of_count;
};

struct catalog_role_setting { /* pg_db_role_setting */
    const char *database;     /* "" : all */
    const char *role;         /* "" : all */
    const char *name, *value;
};

struct catalog_database_entry { /* pg_database */
    const char *name, *owner;
    uint32_t oid;
    bool can_connect;
    bool is_own; /* this role has the rights of its owner */
    int connection_limit;
    const char *acl; /* aclitem[] output; "" : default rights */
};

struct catalog_table { /* ordinary and partitioned tables outside of system schemas */
    uint32_t oid;
    const char *schema, *name, *owner;
    char kind;                   /* 'r' or 'p' */
    uint32_t parent_oid;         /* 0: is no partition */
    char partition_strategy;     /* 'r' 'l' 'h'; 0: is not partitioned */
    const char *partition_key;   /* pg_get_partkeydef: "RANGE (created_at)" */
    const char *partition_bound; /* "FOR VALUES FROM ('..') TO ('..')", "DEFAULT"; "" */
    double row_estimate;         /* reltuples; -1: never analysed */
    double pages;                /* relpages */
    char **columns;              /* names, in order, without dropped ones */
    size_t column_count;
    const char *acl; /* aclitem[] output; "" : default rights */
};

struct catalog_index {
    uint32_t oid, table_oid;
    const char *schema, *name;
    bool is_unique, is_primary, is_valid, is_ready;
    bool is_constraint;     /* made by a PRIMARY KEY, UNIQUE or EXCLUDE constraint */
    bool is_partition;      /* of a partitioned index */
    char kind;              /* 'i' or 'I' (partitioned) */
    const char *definition; /* canonical, from USING on: "USING btree (a, b) WHERE (c > 1)" */
};

struct catalog_object { /* views and functions of the schema monitoring */
    const char *kind;   /* view, function, procedure */
    const char *name;   /* function: with argument types */
    const char *hash;   /* md5 of the canonical definition, comment and rights */
};

struct catalog_extension {
    const char *name, *schema, *version;
};

struct catalog_memo { /* newest journal entry with this key that was done and not undone */
    const char *key, *declared, *observed;
    const char *done_at; /* "2026-11-22 21:40:05 UTC" */
};

struct catalog_done { /* newest journal entry with this key, when that was not undone */
    const char *key, *sql, *done_at;
};

struct catalog_database {
    const char *name;
    bool exists;
    bool has_journal;     /* pgdeck's, and to be trusted */
    PGconn *connection;   /* NULL when it does not exist */
    uint64_t fingerprint; /* of all that was read but statistics; 0 when it does not exist */
    char **schemas;
    size_t schema_count;
    LIST_OF(struct catalog_table) tables; /* sorted by schema, name */
    LIST_OF(struct catalog_index) indexes;
    LIST_OF(struct catalog_object) monitoring;
    LIST_OF(struct catalog_extension) extensions;
    LIST_OF(struct catalog_memo) memos;
    LIST_OF(struct catalog_done) done;
    char **objects; /* other declared kinds, "type s.n", "function s.n", "view s.n", "sequence s.n",
                     * "trigger s.table.n"; sorted */
    size_t object_count;
    char **default_acls; /* "role|schema|objtype|acl" */
    size_t default_acl_count;
    char **schema_acls; /* "schema|owner|acl" */
    size_t schema_acl_count;
};

struct catalog_server {
    const char *name;   /* in the deck */
    PGconn *connection; /* to the conninfo's database */
    const char *conninfo_database;
    int version; /* 150018 */
    int major;   /* 15 */
    const char *version_text;
    const char *system_identifier;
    const char *role; /* current_user */
    bool is_superuser, is_in_recovery, can_create_role, can_create_database;
    bool is_local;              /* its data directory can be read from here */
    const char *data_directory; /* "" : not permitted to know */
    int64_t host_memory_bytes;  /* of this host when is_local, cgroup limits included; else 0 */
    const char *patroni;        /* what shows that Patroni runs this server; "" : nothing does */
    bool can_read_files;        /* pg_file_settings */
    bool can_stat_files;        /* pg_stat_file */
    bool can_reload;            /* pg_reload_conf */
    LIST_OF(struct catalog_setting) settings; /* sorted by name */
    LIST_OF(struct catalog_file_setting) file_settings;
    LIST_OF(struct catalog_role) roles;
    LIST_OF(struct catalog_role_setting) role_settings;
    LIST_OF(struct catalog_database_entry) databases; /* all of the server's */
    LIST_OF(struct catalog_database) snapshots;       /* of those asked for */
    LIST_OF(struct catalog_memo) memos;               /* server-wide changes */
    LIST_OF(struct catalog_done) done;
    char **available_extensions;
    size_t available_extension_count;
    uint64_t fingerprint;
};

/* Reads server and databases (those that do not exist get exists = false). Errors as pg_connect. */
bool catalog_read(struct arena *arena, const struct pg_target *target, const char *name,
                  const char *const *databases, size_t database_count,
                  struct catalog_server *ret_server, struct error *err) MUST_CHECK;
void catalog_release(struct catalog_server *server); /* closes the connections */

const struct catalog_database *
catalog_find_database(const struct catalog_server *server, const char *name);
const struct catalog_setting *
catalog_find_setting(const struct catalog_server *server, const char *name);
const struct catalog_role *catalog_find_role(const struct catalog_server *server, const char *name);
const struct catalog_table *
catalog_find_table(const struct catalog_database *database, const char *schema, const char *name);
const struct catalog_table *
catalog_table_by_oid(const struct catalog_database *database, uint32_t oid);
const struct catalog_index *
catalog_find_index(const struct catalog_database *database, const char *schema, const char *name);
/* NULL database: server-wide. NULL when nothing is remembered. */
const struct catalog_memo *catalog_find_memo(const struct catalog_server *server,
                                             const struct catalog_database *database,
                                             const char *key);
const char *catalog_role_setting_value(const struct catalog_server *server, const char *database,
                                       const char *role, const char *name); /* NULL: not set */
bool catalog_has_schema(const struct catalog_database *database, const char *name);
bool catalog_has_object(const struct catalog_database *database, const char *object);
