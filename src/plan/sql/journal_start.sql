-- what: a change is about to run
-- servers: 14..
-- $1 apply id  $2 seq  $3 advisor  $4 key  $5 what  $6 sql  $7 undo  $8 undo guard
-- $9 undo guard database  $10 is transactional  $11 needs  $12 declared
INSERT INTO pgdeck.journal (apply_id, seq, advisor, key, what, sql, undo, undo_guard,
                            undo_guard_database, is_transactional, needs, declared, state)
VALUES ($1::uuid, $2::int, $3, $4, $5, $6, $7, $8, $9, $10::boolean, $11, $12, 'started')
ON CONFLICT (apply_id, seq) DO UPDATE SET state = 'started'
