-- what: makes a rollup: its closed buckets, how far they go, which of them have changed since, the
--       functions that read it and keep it up, the triggers that mark what changes late
-- servers: 14..
-- variables: name, changed, state, refresh, mark, marked (a setting), schema, table, time (column),
--            every, settle (intervals), by (a comma behind each), figures, places (of GROUP BY)
CREATE SCHEMA IF NOT EXISTS rollups;

GRANT USAGE ON SCHEMA rollups TO PUBLIC;

CREATE TABLE rollups.:"name" AS
SELECT date_bin(:'every', :"time", timestamptz '0001-01-01 00:00+00') AS bucket, :by :figures
  FROM :"schema".:"table" AS source
 GROUP BY :places
  WITH NO DATA;

CREATE INDEX ON rollups.:"name" (bucket);

CREATE TABLE rollups.:"changed" (bucket timestamptz NOT NULL);

CREATE TABLE rollups.:"state" (
    closed_until timestamptz NOT NULL, -- buckets before it are in the table
    seen_at      timestamptz,          -- what was written before seen_at was written by a
    seen_by      xid8                  -- transaction before seen_by
);

INSERT INTO rollups.:"state" (closed_until) VALUES ('-infinity');

-- Marks the bucket of a row that is older than most that change. Rows of one transaction and bucket
-- have one mark: the setting goes with the transaction, or the savepoint, as the mark does.
CREATE FUNCTION rollups.:"mark"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $rollup$
DECLARE
    marked timestamptz;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM rollups.:"name";
        DELETE FROM rollups.:"changed";
        RETURN NULL;
    END IF;
    FOREACH marked IN ARRAY
        ARRAY[date_bin(:'every', OLD.:"time", timestamptz '0001-01-01 00:00+00'),
              date_bin(:'every', NEW.:"time", timestamptz '0001-01-01 00:00+00')]
    LOOP
        IF current_setting(:'marked', true) IS DISTINCT FROM extract(epoch FROM marked)::text
           AND marked IS NOT NULL THEN
            INSERT INTO rollups.:"changed" VALUES (marked);
            PERFORM set_config(:'marked', extract(epoch FROM marked)::text, true);
        END IF;
    END LOOP;
    RETURN NULL;
END
$rollup$;

REVOKE EXECUTE ON FUNCTION rollups.:"mark"() FROM PUBLIC;

CREATE TRIGGER :"insert_trigger" AFTER INSERT ON :"schema".:"table" FOR EACH ROW
    WHEN (NEW.:"time" < clock_timestamp() - interval :'settle')
    EXECUTE FUNCTION rollups.:"mark"();

CREATE TRIGGER :"update_trigger" AFTER UPDATE ON :"schema".:"table" FOR EACH ROW
    WHEN (OLD.:"time" < clock_timestamp() - interval :'settle'
          OR NEW.:"time" < clock_timestamp() - interval :'settle')
    EXECUTE FUNCTION rollups.:"mark"();

CREATE TRIGGER :"delete_trigger" AFTER DELETE ON :"schema".:"table" FOR EACH ROW
    WHEN (OLD.:"time" < clock_timestamp() - interval :'settle')
    EXECUTE FUNCTION rollups.:"mark"();

CREATE TRIGGER :"truncate_trigger" AFTER TRUNCATE ON :"schema".:"table"
    EXECUTE FUNCTION rollups.:"mark"();

ALTER TABLE :"schema".:"table"
    ENABLE ALWAYS TRIGGER :"insert_trigger", ENABLE ALWAYS TRIGGER :"update_trigger",
    ENABLE ALWAYS TRIGGER :"delete_trigger", ENABLE ALWAYS TRIGGER :"truncate_trigger";

-- Closes buckets, 100 at once, and renews those that changed. True: there is more to do. A bucket
-- is closed when all that could be written into it without a mark has been: its end is older than
-- `settle`, counted from a moment before which no running transaction has begun to write.
CREATE FUNCTION rollups.:"refresh"() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $rollup$
DECLARE
    state rollups.:"state";
    horizon xid8;
    settled timestamptz;
    target timestamptz;
    begun timestamptz;
    upto timestamptz;
    renewed timestamptz[];
BEGIN
    IF now() < (SELECT closed_until FROM rollups.:"state")
               + interval :'every' + interval :'settle' + interval '1 minute'
       AND NOT EXISTS (SELECT FROM rollups.:"changed") THEN
        RETURN false;
    END IF;
    SELECT * INTO state FROM rollups.:"state" FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false; -- somebody else is at it
    END IF;
    horizon := pg_snapshot_xmin(pg_current_snapshot());
    IF state.seen_by IS NULL OR state.seen_by <= horizon
       OR state.seen_by > pg_current_xact_id() THEN -- of the server that a dump came from
        settled := state.seen_at;
        state.seen_at := now();
        state.seen_by := pg_current_xact_id();
    END IF;
    IF pg_current_xact_id() <= horizon THEN
        settled := now();
    END IF;
    -- A clock that is set back by a minute does no harm.
    target := date_bin(:'every', settled - interval :'settle' - interval '1 minute',
                       timestamptz '0001-01-01 00:00+00');

    renewed := ARRAY(SELECT DISTINCT bucket FROM rollups.:"changed" ORDER BY bucket LIMIT 100);
    IF renewed <> '{}' THEN
        DELETE FROM rollups.:"changed" WHERE bucket = ANY (renewed);
        DELETE FROM rollups.:"name" WHERE bucket = ANY (renewed);
        INSERT INTO rollups.:"name"
        SELECT fresh.*
          FROM unnest(renewed) AS part(pgdeck_from)
         CROSS JOIN LATERAL (
               SELECT date_bin(:'every', :"time", timestamptz '0001-01-01 00:00+00'), :by :figures
                 FROM :"schema".:"table" AS source
                WHERE :"time" >= pgdeck_from AND :"time" < pgdeck_from + interval :'every'
                GROUP BY :places) AS fresh
         WHERE pgdeck_from < state.closed_until;
    END IF;

    IF target > state.closed_until THEN
        SELECT date_bin(:'every', min(:"time"), timestamptz '0001-01-01 00:00+00') INTO begun
          FROM :"schema".:"table"
         WHERE :"time" >= state.closed_until AND :"time" < target AND :"time" > '-infinity';
        upto := coalesce(least(target, begun + 100 * interval :'every'), target);
        DELETE FROM rollups.:"name" WHERE bucket >= begun AND bucket < upto;
        INSERT INTO rollups.:"name"
        SELECT date_bin(:'every', :"time", timestamptz '0001-01-01 00:00+00'), :by :figures
          FROM :"schema".:"table" AS source
         WHERE :"time" >= begun AND :"time" < upto
         GROUP BY :places
         ORDER BY 1;
        state.closed_until := upto;
    END IF;
    UPDATE rollups.:"state"
       SET closed_until = state.closed_until, seen_at = state.seen_at, seen_by = state.seen_by;
    RETURN state.closed_until < target OR EXISTS (SELECT FROM rollups.:"changed");
END
$rollup$;

REVOKE EXECUTE ON FUNCTION rollups.:"refresh"() FROM PUBLIC;

-- The rows of a period by bucket, exact at any moment: closed buckets from the rollup; from the table
-- what is not closed, what has changed since, and the parts of buckets at both ends.
CREATE FUNCTION :"schema".:"name"(since timestamptz DEFAULT '-infinity',
                                  until timestamptz DEFAULT 'infinity')
RETURNS SETOF rollups.:"name"
LANGUAGE sql STABLE PARALLEL SAFE
AS $rollup$
SELECT kept.*
  FROM rollups.:"name" AS kept
 WHERE kept.bucket >= date_bin(:'every', $1, timestamptz '0001-01-01 00:00+00')
       + CASE WHEN date_bin(:'every', $1, timestamptz '0001-01-01 00:00+00') < $1
              THEN interval :'every' ELSE interval '0' END
   AND kept.bucket < date_bin(:'every', $2, timestamptz '0001-01-01 00:00+00')
   AND kept.bucket < (SELECT closed_until FROM rollups.:"state")
   AND kept.bucket NOT IN (SELECT bucket FROM rollups.:"changed")
UNION ALL
SELECT fresh.*
  FROM (SELECT date_bin(:'every', $1, timestamptz '0001-01-01 00:00+00')
               + CASE WHEN date_bin(:'every', $1, timestamptz '0001-01-01 00:00+00') < $1
                      THEN interval :'every' ELSE interval '0' END,
               date_bin(:'every', $2, timestamptz '0001-01-01 00:00+00'),
               (SELECT closed_until FROM rollups.:"state")) AS whole(pgdeck_first, pgdeck_last, pgdeck_closed)
 CROSS JOIN LATERAL (
       SELECT * FROM (VALUES ($1, least(pgdeck_first, $2, pgdeck_closed)),
                             (greatest(pgdeck_last, pgdeck_first), least($2, pgdeck_closed)),
                             (greatest($1, pgdeck_closed), $2)) AS edge(pgdeck_from, pgdeck_to)
        WHERE pgdeck_from < pgdeck_to
        UNION ALL
       SELECT DISTINCT bucket, bucket + interval :'every'
         FROM rollups.:"changed"
        WHERE bucket >= pgdeck_first AND bucket < least(pgdeck_last, pgdeck_closed)) AS part
 CROSS JOIN LATERAL (
       SELECT date_bin(:'every', :"time", timestamptz '0001-01-01 00:00+00'), :by :figures
         FROM :"schema".:"table" AS source
        WHERE :"time" >= pgdeck_from AND :"time" < pgdeck_to
        GROUP BY :places) AS fresh
$rollup$;
