CREATE TABLE tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt (id int);
CREATE TABLE "ääääääääääääääääääääääääääääääää" (id int);
CREATE TABLE uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu (id int);
CREATE TABLE a (cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc int);
