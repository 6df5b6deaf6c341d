"""Everything that can be wrong with a database is found, by its name.

The PostgreSQL from PyPI speaks no TLS; PgBouncer, which stands before it, does.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from pairquiz_server.doctor import database as judged
from pairquiz_server.store.examination import Examination
from pairquiz_server.store.knocking import Place, place
from tests.certificates import Authority
from tests.conftest import execute, sibling
from tests.doctor.cluster import ROLE, Cluster, cluster
from tests.doctor.looking import answering, database
from tests.pgbouncer import pgbouncer
from tests.ports import OwnPort
from tests.store.processes import open_folder

HERE = "127.0.0.1"
IMPATIENT = {"PAIRQUIZ_DATABASE__CONNECT_TIMEOUT_S": "0.5"}
HEALTHY = {
    "database",
    "database tls",
    "database role",
    "database durability",
    "database pooler",
    "database schema",
    "database exposure",
    "database connections",
    "database clock",
    "database round trip",
    "database transactions",
}
StartPooler = Callable[..., str]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def passworded(folder: Path) -> Iterator[Cluster]:
    place = folder / "cluster"
    place.mkdir()
    with cluster(place) as made:
        yield made


@pytest.fixture
def start_pooler(database_url: str) -> Iterator[StartPooler]:
    """Start poolers before this test's database, on TCP where a port is wanted, and return their address."""
    with ExitStack() as stack:

        def start(mode: str = "transaction", *, tcp: bool = False, url: str = database_url, **settings: object) -> str:
            if tcp:
                settings |= {"listen_addr": HERE, "listen_port": stack.enter_context(closing(OwnPort())).number}
            place = stack.enter_context(open_folder())
            return stack.enter_context(pgbouncer(place, url, mode, **settings)).url

        yield start


@asynccontextmanager
async def role(url: str, *statements: str) -> AsyncIterator[str]:
    """Make a role of a test's own, and yield the address by which it comes in."""
    name = f"role_{uuid4().hex}"
    await execute(url, f"CREATE ROLE {name} LOGIN")
    try:
        for statement in statements:
            await execute(url, statement.format(role=name))
        user = urlsplit(url).username or ""
        yield url.replace(f"{user}@", f"{name}@", 1)
    finally:
        await execute(url, f"DROP OWNED BY {name}; DROP ROLE {name}")


async def test_of_a_healthy_one_everything_is_well(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged, "SLOW_MS", 60_000)  # this machine may have much else to do
    assert await database(database_url) == dict.fromkeys(HEALTHY, "ok")


async def test_nobody_is_found_under_a_name_that_there_is_not() -> None:
    assert await database("postgresql://a:b@nobody.invalid/c") == {"database": "database-host-unknown"}


def test_of_several_hosts_the_first_is_knocked_at() -> None:
    assert place("postgresql://a:b@one.example,two.example:5433/c?sslmode=require") == Place(
        "one.example", 5433, "a", "c"
    )
    assert place("postgresql:///c?host=/run/postgresql&user=a").shown == "/run/postgresql:5432"
    assert place("postgresql:///c?host=one.example,two.example&port=5433,5434").shown == "one.example:5433"
    both = place("postgresql://a@one.example/c?host=/run/postgresql&port=x&user=b&dbname=d")
    assert both == Place("one.example", 5432, "a", "c"), "as asyncpg takes it"


async def test_nobody_listens(tmp_path: Path) -> None:
    with closing(OwnPort()) as port:
        for url in (f"postgresql://a@{HERE}:{port.number}/b", f"postgresql://a@/b?host={tmp_path}"):
            assert await database(url) == {"database": "database-refused"}


async def test_somebody_is_silent() -> None:
    async with answering(None) as port:
        url = f"postgresql://a@{HERE}:{port}/b"
        assert await database(url, **IMPATIENT) == {"database": "database-silent"}


async def test_no_way_leads_there() -> None:
    assert await database("postgresql://a@255.255.255.255/b") == {"database": "database-no-route"}


async def test_another_kind_of_server_answers() -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert await database(f"postgresql://a@{HERE}:{port}/b") == {"database": "database-not-postgresql"}


async def test_an_address_says_what_is_not_understood(passworded: Cluster) -> None:
    assert await database(f"{passworded.url()}?sslmode=sometimes") == {"database": "database-url-refused"}


async def test_a_wrong_password_and_somebody_who_is_not_let_in(passworded: Cluster) -> None:
    assert "database" in await database(passworded.url())
    assert await database(passworded.url(password="wrong")) == {"database": "database-password"}
    assert await database(passworded.url(user="other")) == {"database": "database-not-admitted"}


async def test_a_server_that_stops(passworded: Cluster) -> None:
    session = await asyncpg.connect(passworded.url())
    passworded.stop("smart", wait=False)  # it waits for the session, and takes no others
    assert await database(passworded.url()) == {"database": "database-starting"}
    await session.close()
    passworded.start(again=True)


async def test_nobody_is_behind_a_pooler(start_pooler: StartPooler) -> None:
    nowhere = f"postgresql://{ROLE}@/postgres?host=/nowhere"
    assert await database(start_pooler(url=nowhere), **IMPATIENT) in (
        {"database": "database-lost"},
        {"database": "database-silent"},
    )


async def test_a_role_or_a_database_that_there_is_not(database_url: str) -> None:
    user = urlsplit(database_url).username or ""
    assert await database(database_url.replace(f"{user}@", "stranger@", 1)) == {"database": "database-role-unknown"}
    assert await database(sibling(database_url, "elsewhere")) == {"database": "database-missing"}


async def test_no_connection_is_left(database_url: str) -> None:
    async with role(database_url, "ALTER ROLE {role} CONNECTION LIMIT 0") as url:
        assert await database(url) == {"database": "database-full"}


async def test_a_database_that_takes_nobody(database_url: str, empty_database_url: str) -> None:
    name = urlsplit(empty_database_url).path.lstrip("/")
    await execute(database_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    assert await database(empty_database_url) == {"database": "database-refuses"}


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture
def speaking_tls(start_pooler: StartPooler, authority: Authority) -> Callable[..., str]:
    def start(host: str = HERE, *, expired: bool = False, mode: str = "require") -> str:
        certificate, key = authority.issue(host, expired=expired)
        key.chmod(0o644)  # the pooler runs as another user
        files = {"client_tls_cert_file": certificate, "client_tls_key_file": key}
        return start_pooler(tcp=True, client_tls_sslmode=mode, **files)

    return start


async def test_one_that_is_checked_is_well(speaking_tls: Callable[..., str], authority: Authority) -> None:
    checked = f"{speaking_tls()}?sslmode=verify-full&sslrootcert={authority.file}"
    assert (await database(checked))["database tls"] == "ok"


@pytest.mark.parametrize(("mode", "encrypted"), [("", True), ("?sslmode=disable", False), ("?sslmode=allow", False)])
async def test_it_is_in_use_unless_the_address_goes_without_first(
    speaking_tls: Callable[..., str], mode: str, encrypted: bool
) -> None:
    examination = await Examination.begin(speaking_tls(mode="allow") + mode, timeout_s=10)
    assert examination.encrypted == encrypted
    await examination.end()


async def test_it_is_wanted_by_one_side_alone(speaking_tls: Callable[..., str], start_pooler: StartPooler) -> None:
    assert await database(f"{speaking_tls()}?sslmode=disable") == {"database": "database-tls-required"}
    assert await database(f"{start_pooler(tcp=True)}?sslmode=require") == {"database": "database-tls-refused"}


async def test_a_certificate_is_not_taken(
    speaking_tls: Callable[..., str], authority: Authority, tmp_path: Path
) -> None:
    known = f"?sslmode=verify-full&sslrootcert={authority.file}"
    stranger = f"?sslmode=verify-full&sslrootcert={Authority(tmp_path).file}"
    url = speaking_tls()
    assert await database(url + stranger) == {"database": "database-certificate-untrusted"}
    assert await database(f"{url}?sslmode=verify-full&sslrootcert=/no/ca.crt") == {"database": "database-ca-missing"}
    by_setting = {"PAIRQUIZ_DATABASE__SSL_ROOT_CERT": "/no/ca.crt"}
    assert await database(url, **by_setting) == {"database": "database-ca-missing"}
    assert await database(speaking_tls("db.example") + known) == {"database": "database-certificate-hostname"}
    assert await database(speaking_tls(expired=True) + known) == {"database": "database-certificate-expired"}


def test_where_others_could_listen_it_is_needed_and_checked() -> None:
    far = Place("db.example", 5432, "a", "b")
    assert judged.encryption_found("tls", far, encrypted=False, checked=False).fault == "database-unencrypted"
    assert judged.encryption_found("tls", far, encrypted=True, checked=False).fault == "database-unverified"
    assert judged.encryption_found("tls", far, encrypted=True, checked=True).fault == ""


async def test_one_in_transaction_mode_is_well_unless_it_is_denied(start_pooler: StartPooler) -> None:
    url = start_pooler()
    assert (await database(url))["database pooler"] == "ok"
    denied = await database(url, PAIRQUIZ_DATABASE__TRANSACTION_POOLER="false")
    assert denied["database pooler"] == "database-pooler-undeclared"


async def test_one_in_statement_mode(start_pooler: StartPooler) -> None:
    assert "database-pooler-statement" in (await database(start_pooler("statement"))).values()


async def test_one_that_has_too_few_sessions(start_pooler: StartPooler) -> None:
    url = start_pooler("session", default_pool_size=1)
    # So long it waits for a session, and whatever else it asks must not take as long.
    found = await database(url, PAIRQUIZ_DATABASE__CONNECT_TIMEOUT_S="3")
    assert found["database pooler"] == "database-pooler-small"


def test_its_version() -> None:
    assert judged.version_found(140_011, "14.11", "there").fault == "database-old"
    assert judged.version_found(150_000, "15.0 (Debian)", "there").fault == ""


async def test_it_takes_no_writes(database_url: str) -> None:
    name = urlsplit(database_url).path.lstrip("/")
    await execute(database_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert (await database(database_url))["database role"] == "database-read-only"


async def test_a_role_may_do_too_little(database_url: str, empty_database_url: str) -> None:
    async with role(empty_database_url) as url:
        assert (await database(url))["database role"] == "database-role-powerless"
    async with role(database_url, "GRANT USAGE ON SCHEMA pairquiz TO {role}") as url:
        assert (await database(url))["database role"] == "database-role-powerless"


async def test_it_could_lose_what_was_acknowledged(database_url: str) -> None:
    name = urlsplit(database_url).path.lstrip("/")
    await execute(database_url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    assert (await database(database_url))["database durability"] == "database-lax"


async def test_it_is_empty(empty_database_url: str) -> None:
    assert (await database(empty_database_url))["database schema"] == "database-schema-missing"


@pytest.mark.parametrize(
    ("done", "fault"),
    [
        ("DELETE FROM pairquiz.schema_migrations WHERE number = 15", "database-migrations-pending"),
        (
            "INSERT INTO pairquiz.schema_migrations (number, name, checksum) VALUES (9999, 'x', 'y')",
            "database-migrations-newer",
        ),
        ("UPDATE pairquiz.schema_migrations SET checksum = 'x' WHERE number = 1", "database-migration-changed"),
    ],
)
async def test_its_migrations_are_not_ours(database_url: str, done: str, fault: str) -> None:
    await execute(database_url, done)
    assert (await database(database_url))["database schema"] == fault


async def test_it_has_too_few_connections(database_url: str) -> None:
    many = await database(database_url, PAIRQUIZ_DATABASE__POOL_MAX="500")
    assert many["database connections"] == "database-connections-few"


async def test_its_clock_and_its_distance() -> None:
    assert judged.clock_found(-6).fault == judged.clock_found(6).fault == "database-clock"
    assert judged.clock_found(4).fault == ""
    assert judged.pace_found(80, "far.example").fault == "database-slow"
    assert judged.pace_found(8, "near.example").fault == ""


async def test_a_transaction_is_left_open(database_url: str) -> None:
    session = await asyncpg.connect(database_url)
    async with session.transaction():
        found = await database(database_url, long_s=0)
    await session.close()
    assert found["database transactions"] == "database-transactions-long"


async def test_its_answers_are_shown_to_everybody(database_url: str) -> None:
    await execute(database_url, "CREATE ROLE anon")
    try:
        assert (await database(database_url))["database exposure"] == "ok"
        await execute(database_url, "GRANT USAGE ON SCHEMA pairquiz TO anon")
        assert (await database(database_url))["database exposure"] == "database-exposed"
    finally:
        await execute(database_url, "DROP OWNED BY anon; DROP ROLE anon")
