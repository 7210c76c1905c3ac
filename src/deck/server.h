/* A server of the deck and its standbys. Read through deck/deck.h. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "deck/setting.h"
#include <stdint.h>

enum deck_storage { STORAGE_NVME, STORAGE_SSD, STORAGE_SAN, STORAGE_HDD };
enum deck_configuration { CONFIGURATION_FILE, CONFIGURATION_ALTER_SYSTEM };
enum deck_provider {
    PROVIDER_UNKNOWN, /* as the server itself shows */
    PROVIDER_SELF,
    PROVIDER_AWS_RDS,
    PROVIDER_AWS_AURORA,
    PROVIDER_CLOUD_SQL,
    PROVIDER_AZURE,
    PROVIDER_PATRONI
};

struct deck_replica { /* a standby of a server */
    const char *name;
    struct place place;
    const char *conninfo;
    struct place conninfo_place;
};

struct deck_server {
    const char *name;
    struct place place;
    const char *conninfo;
    struct place conninfo_place;
    const char *password_file; /* NULL: pgpass, environment */
    const char *certificate,
        *certificate_key;                  /* files that the server is to show; NULL: as it is */
    int64_t memory_bytes;                  /* 0: not given */
    int64_t database_bytes;                /* of all its databases; 0: not given, as measured */
    int cpus;                              /* 0: not given */
    enum deck_storage storage;             /* default ssd */
    enum deck_configuration configuration; /* where its settings go, on its own host */
    enum deck_provider provider;           /* who manages its parameters */
    LIST_OF(struct deck_replica) replicas; /* that take reads */
    int parallel;                          /* indexes built at once; 0: half of the CPUs */
    const char *restart_command;           /* NULL: pg_ctl where the data directory is reachable */
    int version;                           /* major, of its PostgreSQL; 0: not given */
    struct deck_settings settings;
};
