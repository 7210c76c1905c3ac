-- what: gives back parameters of a client's start-up that RESET has taken from the session
-- servers: 14..18
-- $1 text their names, in hex, with commas; $2 text their values likewise, behind a v
-- returns: the values that were given back; settings that pg_settings hides are reset when empty
SELECT pg_catalog.set_config(p.name, p.value, false)
  FROM (SELECT pg_catalog.convert_from(pg_catalog.decode(h.name, 'hex'), 'UTF8') AS name,
               pg_catalog.convert_from(
                 pg_catalog.decode(pg_catalog.substr(h.value, 2), 'hex'), 'UTF8') AS value
          FROM ROWS FROM (pg_catalog.unnest(pg_catalog.string_to_array($1::pg_catalog.text, ',')),
                          pg_catalog.unnest(pg_catalog.string_to_array($2::pg_catalog.text, ',')))
                 AS h (name, value)) AS p
  LEFT JOIN pg_catalog.pg_settings AS s
    ON pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) pg_catalog.lower(p.name)
 WHERE CASE WHEN s.name IS NOT NULL THEN s.source OPERATOR(pg_catalog.<>) 'session'
            ELSE COALESCE(pg_catalog.current_setting(p.name, true), '')
                   OPERATOR(pg_catalog.=) ANY ('{"",none}'::pg_catalog.text[]) END
