-- what: who is connected to these databases from addresses that are to be let in no longer
-- servers: 14..
-- $1 databases text[]
-- $2 networks text[]
-- returns: one row; names null: nobody
SELECT string_agg(DISTINCT format('%s from %s to %s', usename, host(client_addr), datname), ', ')
           AS names
  FROM pg_stat_activity
 WHERE datname = ANY ($1::text[]) AND client_addr IS NOT NULL AND pid <> pg_backend_pid()
   AND usename <> current_user
   AND NOT EXISTS (SELECT FROM unnest($2::text[] || ARRAY['127.0.0.1/32', '::1/128']) AS n
                    WHERE client_addr <<= n::inet)
