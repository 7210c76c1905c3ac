-- what: makes a session see one state of all tables, whole or not at all
-- servers: 14..
SET statement_timeout = 0;
SET row_security = off;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
