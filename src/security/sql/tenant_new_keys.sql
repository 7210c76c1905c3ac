-- what: foreign keys that this apply has made between tenants' tables, still empty, get a further one
--       that has the tenant column in it, so that no row refers to another tenant's
-- servers: 14..
-- variables: query (tenant_keys.sql), known (schema.table.name of those that have rows of their own)
DO $tenants$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN :query LOOP
        CONTINUE WHEN wanted.has_key OR wanted.size > 0
                   OR format('%s.%s.%s', wanted.schema, wanted.table, wanted.name) = ANY (:'known'::text[])
                   OR coalesce(wanted.why_not, '') !~ '^($|PostgreSQL before 18)'; -- they are empty
        BEGIN
            -- whoever is no superuser could not check them; tenants_apply forces it again
            EXECUTE format('ALTER TABLE %I.%I NO FORCE ROW LEVEL SECURITY', wanted.schema, wanted.table);
            EXECUTE format('ALTER TABLE %I.%I NO FORCE ROW LEVEL SECURITY', wanted.to_schema, wanted.to_table);
            IF wanted.needs_index THEN
                EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %I.%I (%s)', wanted.index_name,
                               wanted.to_schema, wanted.to_table, wanted.index_columns);
            END IF;
            EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', wanted.schema, wanted.table,
                           wanted.key_name, wanted.definition);
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected THEN RAISE;
            WHEN OTHERS THEN RAISE WARNING 'no key %: %', wanted.key_name, SQLERRM; -- a row of the next plan
        END;
    END LOOP;
END $tenants$
