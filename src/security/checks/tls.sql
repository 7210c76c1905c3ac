-- what: whether connections from elsewhere can be, and are, encrypted
-- item: TLS
-- ok: the server takes TLS 1.2 and above
-- scope: server
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH s AS (
    SELECT current_setting('ssl') = 'on' AS has_tls,
           current_setting('ssl_min_protocol_version') AS lowest,
           EXISTS (SELECT FROM regexp_split_to_table(current_setting('listen_addresses'), '\s*,\s*') AS a
                    WHERE a <> '' AND a <> 'localhost' AND a <> '::1' AND a NOT LIKE '127.%') AS is_far,
           EXISTS (SELECT FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
                    WHERE (e ->> 'tls')::bool) AS is_required
)
SELECT CASE WHEN is_far OR is_required THEN 'fail' ELSE 'warn' END AS state,
       'the server has no TLS' AS finding,
       format('ssl = off, listen_addresses = %s%s', current_setting('listen_addresses'),
              CASE WHEN is_required THEN '; the deck says tls: required' ELSE '' END) AS evidence,
       'ALTER SYSTEM SET ssl = on; -- with ssl_cert_file and ssl_key_file; then a reload' AS fix
  FROM s WHERE NOT has_tls
 UNION ALL
SELECT 'fail', format('the server takes %s, which is broken', coalesce(nullif(lowest, ''), 'SSLv3')),
       format('ssl_min_protocol_version = %s', lowest),
       'ALTER SYSTEM SET ssl_min_protocol_version = ''TLSv1.2''; SELECT pg_reload_conf();'
  FROM s WHERE has_tls AND lowest NOT IN ('TLSv1.2', 'TLSv1.3')
