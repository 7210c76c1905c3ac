CREATE TABLE logs (id bigint, at timestamptz, created timestamptz);
CREATE TABLE old (at date) PARTITION BY RANGE (at);
