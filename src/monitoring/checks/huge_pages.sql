-- what: huge pages that were asked for and not got
-- check: huge pages
-- scope: server
-- rank: 86
-- servers: 14..18
-- The default asks for them where there are some: not getting those is no news. Whether a server
-- has got them is known from 17 on.
SELECT CASE WHEN u.setting IS NULL THEN 'info' ELSE 'warning' END,
       CASE WHEN u.setting IS NULL THEN 'whether the server has got huge pages is not known'
            ELSE 'the server has not got the huge pages that huge_pages = try asks for' END,
       concat_ws('; ', 'set in ' || coalesce(h.sourcefile || ' line ' || h.sourceline, h.source),
                 (SELECT format('it needs %s of them (vm.nr_hugepages of the kernel), then a '
                                'restart', p.setting)
                    FROM pg_settings AS p WHERE p.name = 'shared_memory_size_in_huge_pages'
                     AND p.setting <> '-1')),
       CASE WHEN u.setting IS NULL THEN 'PostgreSQL tells from 17 on' ELSE 'measured' END, NULL
  FROM pg_settings AS h
  LEFT JOIN pg_settings AS u ON u.name = 'huge_pages_status'
 WHERE h.name = 'huge_pages' AND h.setting = 'try' AND h.source <> 'default'
   AND coalesce(u.setting, 'off') = 'off';
