CREATE TABLE logs (id bigint PRIMARY KEY, at timestamptz);
CREATE TABLE tasks (id bigint, name text UNIQUE, PRIMARY KEY (id, name));
CREATE TABLE fine (id bigint, name text, PRIMARY KEY (name, id), UNIQUE (id));
