-- what: sets up a worker's session: its plans are made while queue and active tasks are next to
--   empty, and must not read them whole later, when the remains of ended tasks are in them
-- servers: 14..
-- returns: nothing
SET enable_seqscan = off;
