-- what: releases that get no more corrections, and corrections that are out and not installed
-- check: version
-- scope: server
-- rank: 88
-- servers: 14..18
-- Each major version has five years. What is out is known from PostgreSQL's calendar: the minor
-- release of 13 November 2025, and one on the second Thursday of each February, May, August and
-- November since; there may be more.
WITH release (major, minor, ends) AS (
    VALUES (14, 20, date '2026-11-12'), (15, 15, date '2027-11-11'), (16, 11, date '2028-11-09'),
           (17, 7, date '2029-11-08'), (18, 1, date '2030-11-14')
), server AS (
    SELECT n.number / 10000 AS major, n.number % 10000 AS minor
      FROM (SELECT current_setting('server_version_num')::integer AS number) AS n
), due AS (
    SELECT count(*) AS releases
      FROM generate_series(timestamp '2026-02-01', now()::timestamp, interval '3 months') AS m (at)
     WHERE m.at + ((11 - extract(dow FROM m.at)::integer) % 7 + 7) * interval '1 day'
           < now()::timestamp
)
SELECT CASE WHEN r.ends < current_date THEN 'warning' ELSE 'info' END,
       format(CASE WHEN r.ends < current_date THEN 'PostgreSQL %s gets no more corrections since %s'
                   ELSE 'PostgreSQL %s gets corrections until %s only' END, r.major, r.ends),
       'security faults found later stay in it: plan the upgrade to a newer major version',
       'measured', NULL
  FROM server AS s
  JOIN release AS r ON r.major = s.major
 WHERE r.ends < current_date + 180
 UNION ALL
SELECT 'info',
       format('PostgreSQL %1$s.%2$s: there is %1$s.%3$s at least', s.major, s.minor,
              r.minor + d.releases),
       'its release notes say which faults it corrects; a new package and a restart',
       'from PostgreSQL''s calendar of releases', NULL
  FROM server AS s
  JOIN release AS r ON r.major = s.major
 CROSS JOIN due AS d
 WHERE s.minor < r.minor + d.releases AND r.ends > current_date;
