-- Größe
CREATE TABLE a (id bigint);
CREATE TABEL b (id bigint);
CREATE TABLE c (
    "größe" text txet,
);
\d a
CREATE TABLE d ();
