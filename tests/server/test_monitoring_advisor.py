# SPDX-License-Identifier: MIT
"""The monitoring advisor: schema, objects, extension, rights and search_path by plan and apply."""

import json
import re

import psycopg
import pytest

import monitoring_sql

SCHEMA = """
CREATE TABLE ai_tasks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status text NOT NULL,
    task_type text NOT NULL,
    input_data jsonb, -- what pg_monitor must not see
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    completed_at timestamptz
);
CREATE TABLE ai_results (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id bigint NOT NULL
);
"""
DECK = """
deck: watched
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd}
environments:
  test: {server: main, memory: 256MB, max_connections: 20}
databases:
  "W one": {environment: test, services: []}
  w_two: {environment: test, services: []}
schema: schema.sql
views: VIEWS
"""
ONLY = ("--only", "monitoring")
NOT_WITH_ROLE = "not measurable with this role"


@pytest.fixture
def server(make_server, pg_version):
    """The two databases, the first with the product's tables."""
    one = make_server(pg_version, shared_preload_libraries="pg_stat_statements")
    one.query('CREATE DATABASE "W one"')
    one.query("CREATE DATABASE w_two")
    with one.connect("W one") as connection:
        connection.execute(SCHEMA)
    one.query("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    return one


@pytest.fixture
def deck(tmp_path, server):
    return write_deck(tmp_path, server.conninfo())


def write_deck(folder, conninfo):
    quoted = conninfo.replace("\\", "\\\\").replace('"', '\\"')
    (folder / "schema.sql").write_text(SCHEMA)
    (folder / "deck.yaml").write_text(DECK.replace("CONNINFO", quoted)
                                     .replace("VIEWS", str(monitoring_sql.DECK)))
    return folder / "deck.yaml"


def plan(pgdeck, deck, *args):
    return json.loads(pgdeck("plan", "-d", deck, "--json", *ONLY, *args, expect=0).out)


def keys(pgdeck, deck, *args):
    return [(c["database"], c["key"]) for c in plan(pgdeck, deck, *args)["changes"]]


def apply(pgdeck, deck, *args):
    return pgdeck("apply", "-d", deck, "--yes", *ONLY, *args, expect=0)


def rollback(pgdeck, deck):
    return pgdeck("rollback", "-d", deck, "--yes", expect=0)


def state(server, database):
    """All that this advisor touches in a database."""
    return server.query("""
        SELECT 'object', n.nspname || '.' || c.relname,
               coalesce(c.relacl, acldefault('r', c.relowner))::text,
               CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'monitoring' AND c.relkind IN ('v', 'r', 'p')
        UNION ALL
        SELECT 'function', p.proname || pg_get_function_identity_arguments(p.oid), p.proacl::text,
               md5(p.prosrc)
          FROM pg_proc p WHERE p.pronamespace = to_regnamespace('monitoring')
        UNION ALL
        SELECT 'schema', nspname, coalesce(nspacl, acldefault('n', nspowner))::text,
               obj_description(oid) FROM pg_namespace
         WHERE nspname NOT LIKE 'pg\\_%%' AND nspname <> 'pgdeck'
        UNION ALL
        SELECT 'extension', extname, '', '' FROM pg_extension
        UNION ALL
        SELECT 'column', attrelid::regclass || '.' || attname, attacl::text, '' FROM pg_attribute
         WHERE attacl IS NOT NULL AND attacl <> '{}' AND attrelid > 16383
        UNION ALL
        SELECT 'setting', unnest(setconfig), '', '' FROM pg_db_role_setting
         WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        ORDER BY 1, 2""", dbname=database)


def test_installs_all_and_is_idempotent(pgdeck, server, deck):
    found = keys(pgdeck, deck)
    assert ("W one", "view monitoring.v_ai_task_performance") in found
    assert ("w_two", "view monitoring.v_ai_task_performance") not in found  # has no such table
    assert ("w_two", "view monitoring.v_slow_queries") in found
    before = {name: state(server, name) for name in ("W one", "w_two")}
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    for database in before:
        with server.connect(database, user="watcher") as connection:
            for view in ("v_connection_status", "v_connection_pool_health", "v_slow_queries",
                         "v_cache_hit_ratio", "v_index_usage", "v_table_activity",
                         "check_database_health()"):
                connection.execute(f"SELECT * FROM {view}").fetchall()
            rows = connection.execute("SELECT * FROM check_database_health()").fetchall()
            assert not [row for row in rows if row[0] == "unknown" and row[4] != NOT_WITH_ROLE]
            assert not [row for row in rows if row[0] == "info" and row[1] == "statements"]
    with server.connect("W one", user="watcher") as connection:
        connection.execute("SELECT * FROM v_ai_task_performance")
    assert server.value("SHOW search_path", dbname="W one") == '"$user", public, monitoring'
    rollback(pgdeck, deck)
    assert {name: state(server, name) for name in before} == before


def test_installs_what_the_sql_tests_try(pgdeck, server, deck):
    """The same objects, each by the same header, as the installer of test_monitoring_sql."""
    apply(pgdeck, deck)
    server.query("CREATE DATABASE by_hand")
    with server.connect("by_hand") as connection:
        connection.execute(SCHEMA + "; CREATE SCHEMA monitoring; "
                           "CREATE EXTENSION pg_stat_statements SCHEMA monitoring")
        monitoring_sql.install(connection)
    mine, theirs = state(server, "W one"), state(server, "by_hand")
    assert [row[:3] for row in mine if row[0] != "setting" and row[1] != "monitoring"] == \
        [row[:3] for row in theirs if row[0] != "setting" and row[1] != "monitoring"]


def test_a_table_that_comes_with_the_same_plan(pgdeck, server, deck):
    """Databases and tables that are not there yet are planned for at once."""
    server.query('DROP DATABASE "W one"')
    server.query("DROP DATABASE w_two")
    assert keys(pgdeck, deck) == []  # without the schema advisor they stay away
    deck.write_text(deck.read_text() + "advisors: [schema, monitoring]\n")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0)
    for database in ("W one", "w_two"):
        with server.connect(database, user="watcher") as connection:
            connection.execute("SELECT * FROM v_ai_task_performance")
            rows = connection.execute("SELECT * FROM check_database_health()").fetchall()
            assert not [row for row in rows if row[0] == "unknown" and row[4] != NOT_WITH_ROLE]


@pytest.mark.parametrize("how", ["definition", "comment", "right", "columns", "dropped"])
def test_what_was_changed_is_mended_and_rollback_brings_it_back(pgdeck, server, deck, how):
    apply(pgdeck, deck)
    good = state(server, "w_two")
    server.query({
        "definition": "CREATE OR REPLACE VIEW monitoring.src_counted_since AS "
                      "SELECT datid AS database_oid, datname AS database_name, "
                      "now() AS counted_since, interval '0' AS counted_for FROM pg_stat_database",
        "comment": "COMMENT ON VIEW monitoring.src_counted_since IS 'mine'",
        "right": "REVOKE SELECT ON monitoring.src_counted_since FROM pg_monitor",
        "columns": "DROP VIEW monitoring.v_connection_status; "
                   "CREATE VIEW monitoring.v_connection_status AS SELECT 1 AS other",
        "dropped": "DROP VIEW monitoring.v_performance_alerts"}[how], dbname="w_two")
    spoilt = state(server, "w_two")
    found = keys(pgdeck, deck)
    names = {"columns": {"view monitoring.v_connection_status"},
             "dropped": {"view monitoring.v_performance_alerts"}}.get(
        how, {"view monitoring.src_counted_since", "view monitoring.v_cache_hit_ratio",
              "view monitoring.v_index_usage", "view monitoring.v_table_activity",
              "view monitoring.v_maintenance_status",
              "function monitoring.record_performance_metrics()"})
    assert {key for _, key in found} == names and {name for name, _ in found} == {"w_two"}
    apply(pgdeck, deck)
    assert state(server, "w_two") == good
    assert keys(pgdeck, deck) == []
    rollback(pgdeck, deck)
    assert state(server, "w_two") == spoilt
    apply(pgdeck, deck)
    assert state(server, "w_two") == good


def test_what_lost_its_table_goes_and_comes_back(pgdeck, server, deck):
    apply(pgdeck, deck)
    with_table = state(server, "W one")
    server.query("ALTER TABLE ai_results RENAME TO answers", dbname="W one")
    checks = ["function monitoring.run_health_checks()",
              "function monitoring.check_database_health()", "view monitoring.v_performance_alerts"]
    assert keys(pgdeck, deck) == [("W one", key) for key in [
        *checks, "function monitoring.orphaned_results()"]]
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    rollback(pgdeck, deck)
    server.query("ALTER TABLE answers RENAME TO ai_results", dbname="W one")
    assert state(server, "W one") == with_table
    assert keys(pgdeck, deck) == []
    server.query("DROP TABLE ai_tasks", dbname="W one")
    found = [key for _, key in keys(pgdeck, deck)]
    assert sorted(found) == ["function monitoring.ai_task_performance()",
                             "function monitoring.check_database_health()",
                             "function monitoring.orphaned_results()",
                             "function monitoring.run_health_checks()",
                             "view monitoring.v_ai_task_performance",
                             "view monitoring.v_ai_workload_resources",
                             "view monitoring.v_performance_alerts"]
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    rollback(pgdeck, deck)
    server.query("SELECT * FROM monitoring.v_ai_task_performance", dbname="W one")


def test_tables_in_a_schema_of_their_own(pgdeck, server, deck):
    with server.connect("w_two") as connection:
        connection.execute('CREATE SCHEMA "Pr;od"; SET search_path = "Pr;od"')
        connection.execute(SCHEMA)
        connection.execute("INSERT INTO ai_tasks (status, task_type) VALUES ('pending', 'x')")
    before = state(server, "w_two")
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    with server.connect("w_two", user="watcher") as connection:
        rows = connection.execute("SELECT table_name, tasks FROM v_ai_task_performance").fetchall()
        assert rows == [('"Pr;od".ai_tasks', 1)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute('SELECT input_data FROM "Pr;od".ai_tasks')
    rollback(pgdeck, deck)
    assert state(server, "w_two") == before


def test_beside_all_other_advisors(pgdeck, server, deck):
    """Security takes from everybody the right to connect: who has pg_monitor keeps it."""
    server.query('DROP DATABASE "W one"')
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    pgdeck("plan", "-d", deck, "--only", "security,schema,monitoring", "--detailed-exitcode",
           expect=0)
    assert not server.value("SELECT has_database_privilege('public', 'W one', 'CONNECT')")
    for database in ("W one", "w_two"):
        with server.connect(database, user="watcher") as connection:
            connection.execute("SELECT * FROM v_ai_task_performance")
            rows = connection.execute("SELECT * FROM check_database_health()").fetchall()
            assert not [row for row in rows if row[0] == "unknown" and row[4] != NOT_WITH_ROLE]


def test_a_users_own_view_is_never_dropped_with_ours(pgdeck, server, deck):
    apply(pgdeck, deck)
    server.query("CREATE VIEW public.mine AS SELECT * FROM monitoring.v_index_usage; "
                 "COMMENT ON VIEW monitoring.v_index_usage IS 'spoilt'", dbname="w_two")
    result = pgdeck("apply", "-d", deck, "--yes", *ONLY)
    assert result.code != 0 and "other objects depend on it" in result.err
    assert "mine depends on view" in result.err
    server.query("SELECT * FROM public.mine", dbname="w_two")
    server.query("DROP VIEW public.mine", dbname="w_two")
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []


def test_objects_of_someone_else_are_replaced_with_a_warning(pgdeck, server, deck):
    server.query("CREATE SCHEMA monitoring; CREATE VIEW monitoring.v_slow_queries AS SELECT 7 AS x",
                 dbname="w_two")
    change, = [c for c in plan(pgdeck, deck)["changes"] if c["database"] == "w_two"
               and c["key"] == "view monitoring.v_slow_queries"]
    assert "rollback brings it back" in change["warning"]
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    rollback(pgdeck, deck)
    assert server.value("SELECT x FROM monitoring.v_slow_queries", dbname="w_two") == 7


def test_search_path_is_added_to_and_given_back(pgdeck, server, deck):
    server.query("ALTER DATABASE w_two SET search_path = \"App ü\", \"$user\", public")
    server.query("ALTER DATABASE \"W one\" SET search_path = ''")
    notes = plan(pgdeck, deck)["notes"]
    assert len([n for n in notes if n["database"] == "W one" and "search_path" in n["text"]]) == 1
    apply(pgdeck, deck)
    assert server.value("SHOW search_path", dbname="w_two") == \
        '"App ü", "$user", public, monitoring'
    assert server.value("SHOW search_path", dbname="W one") == '""'
    assert keys(pgdeck, deck) == []
    rollback(pgdeck, deck)
    assert server.value("SHOW search_path", dbname="w_two") == '"App ü", "$user", public'


def test_search_path_of_the_configuration_file_is_kept(pgdeck, server, deck):
    server.configure(search_path="app, public")
    server.reload()
    apply(pgdeck, deck)
    assert server.value("SHOW search_path", dbname="w_two") == "app, public, monitoring"
    rollback(pgdeck, deck)
    assert server.value("SHOW search_path", dbname="w_two") == "app, public"


def test_a_role_that_is_no_superuser(pgdeck, server, tmp_path):
    """The owner of the databases installs all but the extension, which is named."""
    server.query("CREATE ROLE owner_w LOGIN")
    for name in ('"W one"', "w_two"):
        server.query(f"ALTER DATABASE {name} OWNER TO owner_w")
    server.query("GRANT CREATE, CONNECT ON DATABASE postgres TO owner_w")
    for table in ("ai_tasks", "ai_results"):
        server.query(f"ALTER TABLE {table} OWNER TO owner_w", dbname="W one")
    deck = write_deck(tmp_path, server.conninfo(user="owner_w"))
    notes = [n["text"] for n in plan(pgdeck, deck)["notes"]]
    assert len([n for n in notes if "CREATE EXTENSION pg_stat_statements" in n]) == 2
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    with server.connect("W one", user="watcher") as connection:
        rows = connection.execute("SELECT why FROM v_slow_queries").fetchall()
        assert len(rows) == 1 and "not installed" in rows[0][0]


def test_a_kill_in_the_middle_is_taken_up(pgdeck, server, deck):
    before = {name: state(server, name) for name in ("W one", "w_two")}
    for point in (1, 5, 20, 43):
        result = pgdeck("apply", "-d", deck, "--yes", *ONLY,
                        env={"PGDECK_CRASH_AT": str(point)})
        assert result.code != 0
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    rollback(pgdeck, deck)
    assert {name: state(server, name) for name in before} == before


TYPED = ["SELECT * FROM v_connection_pool_health", "SELECT * FROM v_query_performance_trends",
         "SELECT * FROM v_ai_task_performance", "SELECT * FROM v_performance_alerts",
         "SELECT * FROM check_database_health()", "SELECT monitoring.record_performance_metrics()",
         "SELECT * FROM v_tables_needing_maintenance",
         "SELECT * FROM v_index_usage WHERE usage_category = 'UNUSED'",
         "SELECT * FROM v_slow_queries LIMIT 10", "SELECT * FROM partition_sizes",
         "SELECT * FROM v_connection_status",
         "SELECT * FROM v_maintenance_status WHERE temp_files > 0"]


def test_what_users_type(pgdeck, server, deck):
    """Such queries as they stand, in a session that sets nothing."""
    apply(pgdeck, deck)
    for user in ("postgres", "watcher"):
        with server.connect("W one", user=user) as connection:
            for query in TYPED:
                if user == "postgres" or "record_performance" not in query:
                    connection.execute(query).fetchall()
    with server.connect("W one") as connection:
        connection.execute("CALL maintain_partitions()")


def test_every_view_says_what_to_look_for(pgdeck, server, deck):
    apply(pgdeck, deck)
    rows = server.query("SELECT relname, obj_description(oid) FROM pg_class WHERE relkind = 'v' "
                        "AND relnamespace = 'monitoring'::regnamespace AND relname LIKE 'v\\_%%'",
                        dbname="W one")
    assert len(rows) >= 19  # that of models has no table here
    words = re.compile(r"\b[Ll]ook\s+(for|at)\b")
    assert [name for name, text in rows if not words.search(text or "")] == []


def test_the_decks_values_reach_the_database(pgdeck, server, deck):
    """Limits, environments and the length of the history; a changed deck changes them."""
    deck.write_text(deck.read_text() + "alerts: {dead_rows: {warning: 7, critical: 100}, "
                    "idle_in_transaction: {warning: 90s, critical: 10min}, "
                    "cache_hit: {warning: 92%, critical: 85%}, "
                    "temp_bytes: {warning: 1GB, critical: 2GB}}\n")
    apply(pgdeck, deck)
    values = {(kind, name): value for kind, name, value in server.query(
        "SELECT kind, name, value FROM monitoring.deck_values", dbname="w_two")}
    assert values["environment", "W one"] == values["environment", "w_two"] == "test"
    assert values["limit", "dead_rows_warning"] == "7"
    assert values["limit", "idle_in_transaction_critical"] == "600 s"
    assert values["limit", "cache_hit_warning"] == "92"
    assert values["limit", "temp_bytes_critical"] == "2147483648"
    assert values["history", "keep"] == "2592000 s"
    limit = "SELECT monitoring.threshold('idle_in_transaction_warning', '5 min')::interval::text"
    assert server.value(limit, dbname="w_two") == "00:01:30"
    sizes = server.query("SELECT environment FROM monitoring.v_database_sizes "
                         "WHERE database_name = 'W one'", dbname="w_two")
    assert sizes == [("test",)]
    deck.write_text(deck.read_text().replace("warning: 7,", "warning: 8,").replace(
        "max_connections: 20", "max_connections: 20, history: 7d"))
    assert ("w_two", "view monitoring.deck_values") in keys(pgdeck, deck)
    shown = pgdeck("plan", "-d", deck, *ONLY).out
    assert "it reads deck_values, which is replaced" in shown and "changed by hand" not in shown
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    assert server.query("SELECT value FROM monitoring.deck_values WHERE kind = 'history' OR "
                        "name = 'dead_rows_warning' ORDER BY 1", dbname="w_two") == \
        [("604800 s",), ("8",)]


def test_history_outlives_rollback(pgdeck, server, deck):
    apply(pgdeck, deck)
    server.query("SELECT monitoring.record_performance_metrics()", dbname="w_two")
    result = rollback(pgdeck, deck)
    assert "--drop-data" in result.out + result.err
    assert server.value("SELECT count(*) FROM monitoring.database_history", dbname="w_two") == 1
    assert server.value("SELECT to_regclass('monitoring.v_slow_queries')", dbname="w_two") is None
    assert server.value("SELECT to_regnamespace('monitoring')", dbname="W one") is None
    apply(pgdeck, deck)
    assert keys(pgdeck, deck) == []
    server.query("SELECT monitoring.record_performance_metrics()", dbname="w_two")
    assert server.value("SELECT count(*) FROM monitoring.database_history", dbname="w_two") == 2
    pgdeck("rollback", "-d", deck, "--yes", "--drop-data", expect=0)
