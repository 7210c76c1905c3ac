-- pgbench's own tables, as `pgbench -i` makes them (scale below 20000). PostgreSQL 14 to 18.

CREATE TABLE pgbench_branches (
    bid      integer PRIMARY KEY,
    bbalance integer,
    filler   character(88)
) WITH (fillfactor = 100);

CREATE TABLE pgbench_tellers (
    tid      integer PRIMARY KEY,
    bid      integer,
    tbalance integer,
    filler   character(84)
) WITH (fillfactor = 100);

CREATE TABLE pgbench_accounts (
    aid      integer PRIMARY KEY,
    bid      integer,
    abalance integer,
    filler   character(84)
) WITH (fillfactor = 100);

CREATE TABLE pgbench_history (
    tid    integer,
    bid    integer,
    aid    integer,
    delta  integer,
    mtime  timestamp,
    filler character(22)
);
