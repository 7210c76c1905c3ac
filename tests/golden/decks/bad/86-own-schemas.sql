CREATE SCHEMA pgdeck;
CREATE TABLE pgdeck.notes (id int);
CREATE SCHEMA tenants;
CREATE TABLE tenants.login (id int);
CREATE TABLE tenants.notes (id int);
CREATE INDEX notes_id ON pgdeck.notes (id);
