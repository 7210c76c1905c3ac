CREATE TABLE a (id int);
CREATE INDEX b_id ON a (id);
