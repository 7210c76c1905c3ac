-- what: sets and resets parameters of the session, in the order given
-- servers: 14..18
-- $1 text their names, in hex, with commas
-- $2 text their values likewise: v and hex, or r to reset
-- returns: the values
SELECT pg_catalog.set_config(
         pg_catalog.convert_from(pg_catalog.decode(p.name, 'hex'), 'UTF8'),
         CASE WHEN p.value OPERATOR(pg_catalog.<>) 'r' THEN
           pg_catalog.convert_from(
             pg_catalog.decode(pg_catalog.substr(p.value, 2), 'hex'), 'UTF8')
         END, false)
  FROM ROWS FROM (pg_catalog.unnest(pg_catalog.string_to_array($1::pg_catalog.text, ',')),
                  pg_catalog.unnest(pg_catalog.string_to_array($2::pg_catalog.text, ',')))
         AS p (name, value)
