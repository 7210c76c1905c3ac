-- what: the newest window that has begun and the next one, in the time zone of an environment. A time
--       that the clocks leave out when summer begins is an hour later; of one that comes twice the
--       second counts.
-- servers: 14..
-- $1 now timestamptz (null: the clock's), $2 zone text, $3 schedule text ("00:30", "sun 02:00",
-- "first sun 03:00"), $4 window_ms bigint
-- returns: begin, next, local_begin, local_next, left_ms (of the window; 0: it is over), now
WITH wanted AS (
    SELECT coalesce($1::timestamptz, clock_timestamp()) AS now, $2::text AS zone,
           w[cardinality(w)]::time AS at,
           array_position('{mon,tue,wed,thu,fri,sat,sun}', w[cardinality(w) - 1]) AS day,
           w[cardinality(w) - 2] AS turn
      FROM string_to_array($3, ' ') AS w
), days AS (
    SELECT (w.now AT TIME ZONE w.zone)::date + n AS day
      FROM wanted AS w CROSS JOIN generate_series(-70, 70) AS n
), windows AS (
    SELECT (d.day + w.at) AT TIME ZONE w.zone AS begin
      FROM days AS d CROSS JOIN wanted AS w
     WHERE (w.day IS NULL OR extract(isodow FROM d.day) = w.day)
       AND CASE w.turn WHEN 'first' THEN extract(day FROM d.day) <= 7
                       WHEN 'second' THEN extract(day FROM d.day) BETWEEN 8 AND 14
                       WHEN 'third' THEN extract(day FROM d.day) BETWEEN 15 AND 21
                       WHEN 'fourth' THEN extract(day FROM d.day) BETWEEN 22 AND 28
                       WHEN 'last' THEN extract(month FROM d.day + 7) <> extract(month FROM d.day)
                       ELSE true END
), found AS (
    SELECT max(x.begin) FILTER (WHERE x.begin <= w.now) AS begin,
           min(x.begin) FILTER (WHERE x.begin > w.now) AS next, w.now, w.zone
      FROM windows AS x CROSS JOIN wanted AS w
     GROUP BY w.now, w.zone
)
SELECT f.begin, f.next, f.now,
       to_char(f.begin AT TIME ZONE f.zone, 'YYYY-MM-DD HH24:MI') AS local_begin,
       to_char(f.next AT TIME ZONE f.zone, 'YYYY-MM-DD HH24:MI') AS local_next,
       greatest(0, $4::bigint - extract(epoch FROM f.now - f.begin) * 1000)::bigint AS left_ms
  FROM found AS f
