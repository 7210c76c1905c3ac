# SPDX-License-Identifier: MIT
"""pgdeck pool with several threads: whoever accepts a client, it gets to its pool's thread, and
nobody sees that there is more than one."""

import os
import random
import signal
import socket
import struct
import threading

import psycopg
import pytest

from cluster import wait_for
from test_pool import PASSWORD, Pool, logins, make_pool  # noqa: F401

pytestmark = pytest.mark.short(15)

USERS = ("alice", "bob")
START = b"user\0%s\0database\0app\0\0"


@pytest.fixture(params=["io_uring", "epoll", "io_uring shared", "epoll shared"])
def pool(make_pool, request):  # noqa: F811
    """Two pools, each of one thread, or shared by both."""
    io, *shared = request.param.split()
    made = make_pool(pooler={"threads": 2, "io": io}, max=3, threads=2 if shared else 1)
    wait_for(lambda: "threads: 2" in made.log_text(), 10, "two threads")
    return made


def backends(server, user):
    return server.value("SELECT count(*) FROM pg_stat_activity WHERE datname = 'app' "
                        f"AND usename = '{user}'")


def is_settled(pool):
    return all(row["sv_active"] == "0" and row["cl_waiting"] == "0" for row in pool.show("POOLS"))


def test_each_client_gets_to_its_pool(pool):
    """Over TCP the kernel chooses who accepts, over the unix socket it is always the same."""
    clients = [(user, pool.connect(user=user, **more))
               for user in USERS for more in ({}, {"host": pool.folder}) for _ in range(20)]
    for user, client in clients:
        assert client.execute("SELECT current_user, 1").fetchone() == (user, 1)
    shown = pool.show("CLIENTS")
    assert sorted(row["user"] for row in shown if row["database"] == "app") == (
        ["alice"] * 40 + ["bob"] * 40)
    assert len({row["id"] for row in shown}) == len(shown)
    lists = {row["list"]: row["items"] for row in pool.show("LISTS")}
    assert (lists["threads"], lists["pools"], lists["clients"]) == ("2", "2", "81")
    for _, client in clients:
        client.close()
    wait_for(lambda: len(pool.show("CLIENTS")) == 1, 10, "clients to be gone")
    assert {row["user"]: int(row["total_query_count"]) for row in pool.show("STATS")} == {
        "alice": 40, "bob": 40}


def test_sizes_are_exact(pool, logins):  # noqa: F811
    most = {user: 0 for user in USERS}
    is_over = threading.Event()

    def work(user):
        with pool.connect(user=user) as client:
            while not is_over.is_set():
                client.execute("SELECT pg_sleep(0.002)")

    threads = [threading.Thread(target=work, args=(user,)) for user in USERS for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        for user in USERS:
            most[user] = max(most[user], int(backends(logins, user)))
    is_over.set()
    for thread in threads:
        thread.join()
    assert most == {"alice": 3, "bob": 3}


@pytest.fixture(params=["io_uring", "epoll"])
def lending(make_pool, request):  # noqa: F811
    """One server, which both threads' clients need."""
    return make_pool(pooler={"threads": 2, "io": request.param}, max=1, threads=2)


def test_a_server_is_lent_with_all_that_it_has(lending, logins):  # noqa: F811
    """Statements, parameters and nothing else of another's; the server stays the same one."""
    clients = [lending.connect() for _ in range(4)]
    threads = [int(row["id"]) % 2 for row in lending.show("CLIENTS") if row["database"] == "app"]
    assert sorted(threads) == [0, 0, 1, 1]
    pids = set()
    for number, client in enumerate(clients):
        client.prepare_threshold = 0
        client.execute(f"SET work_mem = '{number + 1}MB'")
    for _ in range(5):
        for number, client in enumerate(clients):
            row = client.execute("SELECT %s::int, current_setting('work_mem'), pg_backend_pid()",
                                 (number,)).fetchone()
            assert row[:2] == (number, f"{number + 1}MB")
            pids.add(row[2])
    assert len(pids) == 1 and backends(logins, "alice") == 1
    prepared = {row["prepared_statements"] for row in lending.show("SERVERS")}
    assert prepared == {"5"}, "each text once, wherever the server is"
    assert [(row["total_query_count"], row["user"]) for row in lending.show("STATS")] == [
        ("24", "alice"), ("0", "bob")]
    for client in clients:
        client.close()


def test_a_login_that_another_thread_has_learnt(lending):
    with lending.connect(application_name="a") as holder:
        holder.execute("BEGIN")
        clients = [lending.connect(application_name=f"a{number}") for number in range(3)]
        threads = {int(row["id"]) % 2 for row in lending.show("CLIENTS")
                   if row["application_name"].startswith("a")}
        assert threads == {0, 1}
        for client in clients:
            client.close()


def test_who_has_the_servers_of_all_threads(make_pool):  # noqa: F811
    pool = make_pool(pooler={"threads": 2, "query_wait_timeout": "1s"}, max=1, threads=2)
    clients = [pool.connect(application_name=name) for name in ("holder", "other", "same", "other")]
    clients[0].execute("BEGIN")
    for client in clients[1:]:
        with pytest.raises(psycopg.errors.TooManyConnections) as caught:
            client.execute("SELECT 1")
        detail = caught.value.diag.message_detail
        assert "Of 1 connections (at most 1) 0 run queries, 1 are idle in a transaction" in detail
        assert 'Longest held by "alice" (holder) for ' in detail and "1 clients wait" in detail
    for client in clients:
        client.close()


def test_both_threads_get_their_turn(lending):
    """Each client as often as the others, wherever it is."""
    counts, is_over = {}, threading.Event()

    def work(number):
        with lending.connect() as client:
            while not is_over.is_set():
                client.execute("SELECT pg_sleep(0.001)")
                counts[number] = counts.get(number, 0) + 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    wait_for(lambda: sum(counts.values()) > 300, 60, "300 queries")
    is_over.set()
    for thread in threads:
        thread.join()
    assert min(counts.values()) > 0.4 * max(counts.values()), counts


def cancel_until(client, is_over):
    """Again and again: the first may come before the query runs."""
    while not is_over.wait(0.05):
        client.cancel()


def test_cancel_from_any_thread(pool):
    """The request is a connection of its own, accepted by either."""
    for user in USERS:
        with pool.connect(user=user) as one, pool.connect(user=user) as two:
            for _ in range(12):
                is_over = threading.Event()
                thread = threading.Thread(target=cancel_until, args=(one, is_over))
                thread.start()
                with pytest.raises(psycopg.errors.QueryCanceled):
                    one.execute("SELECT pg_sleep(30)")
                is_over.set()
                thread.join()
                assert two.execute("SELECT 2").fetchone() == (2,)


def test_commands_reach_all(pool):
    with pool.connect(user="alice") as alice, pool.connect(user="bob") as bob:
        assert alice.execute("SELECT 1").fetchone() == bob.execute("SELECT 1").fetchone()
        pool.command("PAUSE")
        assert [row["paused"] for row in pool.show("DATABASES")] == ["1", "1"]
        outcome = []
        threads = [threading.Thread(target=lambda one=one: outcome.append(one.execute(
            "SELECT 7").fetchone())) for one in (alice, bob)]
        for thread in threads:
            thread.start()
        wait_for(lambda: [row["cl_waiting"] for row in pool.show("POOLS")] == ["1", "1"], 10,
                 "both to wait")
        pool.command("RESUME")
        for thread in threads:
            thread.join()
        assert outcome == [(7,), (7,)]
        pool.command("RECONNECT app")
        wait_for(lambda: not pool.show("SERVERS"), 10, "servers to be closed")
        pool.command("KILL app")
        pool.command("RESUME app")
        for one in (alice, bob):
            with pytest.raises(psycopg.OperationalError, match="KILL"):
                one.execute("SELECT 1")
    for user in USERS:
        with pool.connect(user=user) as again:
            assert again.execute("SELECT 1").fetchone() == (1,)


def test_a_reload_adds_pools_to_threads(pool, logins):  # noqa: F811
    with pool.connect() as before:
        before.execute("SELECT 1")
        pool.write(postgres={"database": "postgres"}, template1={"database": "template1"})
        assert pool.command("RELOAD")[1] in ("", None, b"")
        assert len(pool.show("POOLS")) == 6
        for database in ("app", "postgres", "template1"):
            for user in USERS:
                with pool.connect(database, user=user) as client:
                    assert client.info.dbname == database
                    assert client.execute("SELECT current_user").fetchone() == (user,)
        pool.write()
        pool.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(pool.show("POOLS")) == 2, 10, "pools to be gone")
        assert before.execute("SELECT 2").fetchone() == (2,)


def test_a_start_up_in_pieces(pool):
    """Cut anywhere, also with more behind it, and given up anywhere."""
    random.seed(5)
    for user in USERS:
        body = struct.pack("!i", 3 << 16) + START % user.encode()
        message = struct.pack("!i", len(body) + 4) + body
        for cut in range(1, len(message), 3):
            with socket.create_connection(("127.0.0.1", pool.port)) as half:
                half.sendall(message[:cut])
                if cut % 2:
                    continue
                half.sendall(message[cut:])
                assert half.recv(1) == b"R"
        for _ in range(10):  # gone while it changes threads
            with socket.create_connection(("127.0.0.1", pool.port)) as gone:
                gone.sendall(message + b"p\0\0\0\x05x" * random.randrange(3))
                if random.random() < 0.5:
                    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_for(lambda: len(pool.show("CLIENTS")) == 1, 10, "clients to be gone")
    with pool.connect() as client:
        assert client.execute("SELECT 1").fetchone() == (1,)
    assert is_settled(pool)


def test_too_many_clients_in_all(make_pool):  # noqa: F811
    pool = make_pool(pooler={"threads": 2, "max_clients": 10})
    clients = [pool.connect(user=USERS[i % 2]) for i in range(10)]
    for _ in range(6):
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            pool.connect(user="bob")
    clients.pop().close()
    wait_for(lambda: pool_takes_one(pool), 10, "room for one")
    for client in clients:
        client.close()


def pool_takes_one(pool):
    try:
        pool.connect(user="bob").close()
        return True
    except psycopg.OperationalError:
        return False


def test_stops_when_all_threads_have(pool):
    with pool.connect(user="alice", autocommit=False) as alice, pool.connect(user="bob",
                                                                             autocommit=False) as bob:
        alice.execute("SELECT 1")
        bob.execute("SELECT 1")
        pool.is_stopped_by_test = True
        pool.process.terminate()
        wait_for(lambda: "stopping" in pool.log_text(), 10, "it to stop")
        alice.commit()
        assert bob.execute("SELECT 2").fetchone() == (2,)
        assert pool.process.poll() is None
        bob.commit()
        assert pool.process.wait(10) == 0


def test_addresses_are_not_shared_with_another(pool, pgdeck, tmp_path, logins):  # noqa: F811
    """SO_REUSEPORT is for the threads of one process: a second pool is told."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "pool.yaml").write_text(pool.file.read_text().replace(str(pool.folder), str(other)))
    (other / "secret").write_text(PASSWORD + "\n")
    (other / "secret").chmod(0o600)
    done = pgdeck("pool", "--config", other / "pool.yaml")
    assert done.code != 0 and "cannot listen on 127.0.0.1" in done.err, done.err
    assert os.path.exists(f"{pool.folder}/.s.PGSQL.{pool.port}")
