CREATE TABLE a (id int);
CREATE TABLE ü (id int);
