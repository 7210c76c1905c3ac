-- what: whether no view of anyone's reads pg_stat_statements
-- servers: 14..
-- returns: one boolean
SELECT NOT EXISTS (
    SELECT FROM pg_extension AS e
      JOIN pg_depend AS member ON member.refclassid = 'pg_extension'::regclass
                              AND member.refobjid = e.oid AND member.deptype = 'e'
      JOIN pg_depend AS d ON d.refclassid = member.classid AND d.refobjid = member.objid
      JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
     WHERE e.extname = 'pg_stat_statements'
       AND NOT EXISTS (SELECT FROM pg_depend AS own
                        WHERE own.classid = 'pg_class'::regclass AND own.objid = r.ev_class
                          AND own.deptype = 'e'))
