CREATE TABLE a (id int);
CREATE VIEW a AS SELECT 1;
CREATE TABLE public.a (id int);
CREATE TABLE other.a (id int);
CREATE INDEX i ON a (id);
CREATE INDEX i ON other.a (id);
CREATE UNIQUE INDEX i ON a (id);
