-- what: sets up a worker's session: its plans are made while queue and active tasks are next to
--   empty, and must not read them whole later, when the remains of ended tasks are in them, nor
--   sort all that waits to take the first ones
-- servers: 14..
-- returns: a row of no interest
SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false);
