SELECT x.a, count(*) FROM t x LEFT JOIN u USING (c) WHERE x.b ->> $1 = $2 AND (x.a, x.c) > ($3, $4) GROUP BY 1 ORDER BY 2 DESC LIMIT $5
