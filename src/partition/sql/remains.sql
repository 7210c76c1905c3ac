-- what: what conversions have left behind: old tables past their time, and unfinished ones of tables
--       that the deck does not partition
-- servers: 14..
-- $1 schemas text[], $2 tables text[]: those of the deck; $3 all: before their time, too boolean
-- returns: id, what, why
SELECT v.id,
       CASE WHEN v.step IN ('swapped', 'finished')
            THEN format('remove %I.%I', v.schema_name, v.retired_name)
            ELSE format('remove the unfinished conversion of %I.%I', v.schema_name, v.table_name) END AS what,
       CASE WHEN v.step IN ('swapped', 'finished')
            THEN format('%I was this until %s; with it goes the way back (%s)', v.table_name,
                        v.swapped_at::date, pg_size_pretty(coalesce(c.relpages, 0)
                                              * current_setting('block_size')::bigint))
            ELSE format('begun %s, and the deck does not ask for it any more', v.started_at::date) END AS why
  FROM pgdeck.conversion v LEFT JOIN pg_class c ON c.oid = v.source
 WHERE (v.step = 'finished' AND ($3::boolean OR v.swapped_at + v.keep < now()))
    OR (v.step NOT IN ('swapped', 'finished', 'rolled back', 'removed')
        AND NOT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS d(schema_name, table_name)
                         WHERE d.schema_name = v.schema_name AND d.table_name = v.table_name))
 ORDER BY v.id
