-- what: notes what a rescue did
-- servers: 14..
-- $1 sight text, $2 what text, $3 why text, $4 how text, $5 pid text, $6 outcome text
INSERT INTO pgdeck.rescue (sight, what, why, how, pid, outcome) VALUES ($1, $2, $3, $4, $5, $6)
