# SPDX-License-Identifier: MIT
"""Every embedded SQL file is one that the server takes: statements are prepared, files with objects
or several statements are run in a transaction that is rolled back."""

import re

import pytest

from cluster import SOURCE

FILES = sorted(path for path in (SOURCE / "src").rglob("*.sql"))


def header(text, key):
    match = re.search(rf"^-- {key}: (.*)$", text, re.M)
    return match[1].strip() if match else None


def bounds(text):
    low, high = re.match(r"(\d+)\.\.(\d*)", header(text, "servers")).groups()
    return int(low), int(high or 99)


@pytest.fixture(scope="module")
def journal(server):
    server.query("CREATE DATABASE sql_files")
    server.psql("-f", SOURCE / "src/plan/sql/journal_create.sql", dbname="sql_files")
    server.psql("-f", SOURCE / "src/maintenance/sql/create.sql", dbname="sql_files")
    server.psql("-f", SOURCE / "src/maintenance/sql/rescue_create.sql", dbname="sql_files")
    server.psql("-f", SOURCE / "src/monitoring/sql/schema.sql", dbname="sql_files")
    name = "publications" if server.version > 14 else "publications__before_15"
    for function in ("tables", name, "describe", "adopt_tables", "adopt_keys"):
        server.psql("-f", SOURCE / f"src/partition/functions/{function}.sql", dbname="sql_files")
    yield server
    server.query("DROP DATABASE sql_files")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE / "src")))
def test_the_server_takes_it(journal, path):
    text = path.read_text()
    assert header(text, "what"), "no header line `-- what:`"
    low, high = bounds(text)
    if header(text, "object") or header(text, "check"):
        return  # run, with what they need around them, by test_monitoring_sql
    if header(text, "variables"):
        return  # filled in and run by plan and apply: test_advisor_ddl
    if not low <= journal.version <= high:
        return  # of other versions; the run over all versions meets it
    with journal.connect("sql_files") as connection:
        connection.execute("SET search_path = pg_catalog, pg_temp")
        if re.search(r"monitoring\.\w+_(history|state)", text):
            connection.execute("BEGIN")
            for name in ("statement_history", "query_texts", "target_history", "history_state",
                         "growth_history", "src_sequences"):
                connection.execute((SOURCE / f"src/monitoring/objects/{name}.sql").read_text())
            connection.execute("CREATE FUNCTION monitoring.record_performance_metrics() "
                               "RETURNS text LANGUAGE sql RETURN ''")
        if "public.ai_tasks" in text:
            connection.execute("BEGIN")
            connection.execute("CREATE TABLE public.ai_tasks (status text, created_at timestamptz, "
                               "started_at timestamptz, completed_at timestamptz)")
        if header(text, "needs"):
            connection.execute("BEGIN; SET LOCAL search_path = public")
            connection.execute((SOURCE / header(text, "needs")).read_text())
        if re.search(r"^(CREATE|DO|DROP|REVOKE|SET) ", text, re.M):
            connection.execute("BEGIN")
            connection.execute(text)
        else:
            connection.execute("PREPARE file AS " + text)
        connection.execute("ROLLBACK")
