INSERT INTO t (a, b) SELECT lower(a), b FROM t WHERE (a, c) IN (('x', 1), ('y', 2)) AND c BETWEEN 1 AND 5 ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE t.c < 7 RETURNING *
