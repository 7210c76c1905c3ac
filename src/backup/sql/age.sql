-- what: how long ago that was
-- servers: 14..
-- $1 time text (seconds since 1970, or as PostgreSQL reads a timestamptz)
-- returns: seconds
SELECT extract(epoch FROM clock_timestamp() -
       CASE WHEN $1 ~ '^[0-9]+([.][0-9]+)?$' THEN to_timestamp($1::float8)
            ELSE $1::timestamptz END) AS seconds
