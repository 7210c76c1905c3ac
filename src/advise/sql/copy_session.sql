-- what: where statements find their tables on the copy
-- servers: 14..
-- $1 schemas text[]
SELECT set_config('search_path', string_agg(quote_ident(s.name), ', ' ORDER BY s.at), false),
       set_config('statement_timeout', '60s', false)
  FROM unnest($1::text[]) WITH ORDINALITY AS s(name, at)
