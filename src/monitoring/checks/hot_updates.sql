-- what: tables whose new row versions find no room on the page of the old ones
-- check: updates on the page
-- scope: database
-- rank: 87
-- servers: 16..18
-- needs: column pg_catalog.pg_stat_all_tables.n_tup_newpage_upd
-- Such an update writes every index. That share is what a lower fillfactor mends; updates of
-- indexed columns on the same page are none of it. From 100000 updates on, half of them away.
SELECT 'info',
       format('%s %% of the updates of %s go to another page', trunc(100.0 * u.n_tup_newpage_upd
              / u.n_tup_upd), t.sql_name),
       format('%s of %s updates, %s on the page without touching indexes; fillfactor is %s',
              u.n_tup_newpage_upd, u.n_tup_upd, u.n_tup_hot_upd, f.percent),
       'mean since the counters began: may be long ago',
       format('ALTER TABLE %s SET (fillfactor = %s); -- for pages written from now on', t.sql_name,
              greatest(f.percent - 15, 50))
  FROM monitoring.src_tables AS t
  JOIN pg_class AS c ON c.oid = t.relid
  JOIN pg_stat_all_tables AS u ON u.relid = t.relid
 CROSS JOIN LATERAL (
        SELECT coalesce((SELECT o.option_value::int FROM pg_options_to_table(c.reloptions) AS o
                          WHERE o.option_name = 'fillfactor'), 100) AS percent) AS f
 WHERE c.relkind = 'r' AND f.percent > 85 AND u.n_tup_upd >= 100000
   AND u.n_tup_newpage_upd > 0.5 * u.n_tup_upd
 ORDER BY u.n_tup_newpage_upd DESC
 LIMIT 20;
