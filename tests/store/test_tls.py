"""TLS to the database, with a certificate that is checked.

The PostgreSQL from PyPI speaks none; PgBouncer, which stands before it, does.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from pairquiz_server import config
from pairquiz_server.database import open_database
from pairquiz_server.failure import Failure
from tests.certificates import Authority
from tests.pgbouncer import pgbouncer
from tests.ports import OwnPort
from tests.store.processes import open_folder

StartTls = Callable[..., str]
HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    """Who has signed the database's certificate."""
    return Authority(folder)


@pytest.fixture(scope="module")
def stranger() -> Iterator[Authority]:
    with open_folder() as made:
        yield Authority(made)


@pytest.fixture
def start_tls(database_url: str, authority: Authority) -> Iterator[StartTls]:
    """Start a database that has a certificate, or none, and return its address."""
    with ExitStack() as stack:

        def start(host: str | None = HERE, *, expired: bool = False) -> str:
            settings: dict[str, object] = {
                "listen_addr": HERE,
                "listen_port": stack.enter_context(closing(OwnPort())).number,
            }
            if host:
                certificate, key = authority.issue(host, expired=expired)
                key.chmod(0o644)  # the pooler runs as another user
                settings |= {
                    "client_tls_sslmode": "require",
                    "client_tls_cert_file": certificate,
                    "client_tls_key_file": key,
                }
            folder = stack.enter_context(open_folder())
            return stack.enter_context(pgbouncer(folder, database_url, **settings)).url

        yield start


async def works(url: str, root_cert: str = "") -> None:
    settings = config.load(environ={"DATABASE_URL": url, "PAIRQUIZ_DATABASE__SSL_ROOT_CERT": root_cert})
    async with open_database(settings, url) as database:
        assert await database.fetchval("SELECT 1") == 1
        await database.write("SELECT 1")
        await database.probe("SELECT 1")


async def refused(url: str, root_cert: str = "") -> str:
    with pytest.raises(Failure, match=r"^[^\n]+$") as caught:
        await works(url, root_cert)
    return caught.value.told


async def test_the_setting_is_a_file_or_the_certificate_itself(start_tls: StartTls, authority: Authority) -> None:
    url = start_tls()
    for root_cert in (str(authority.file), authority.pem, authority.pem.replace("\n", "\\n")):
        for mode in ("", "?sslmode=require", "?sslmode=verify-full", "?sslmode=verify-ca"):
            await works(url + mode, root_cert)


async def test_an_address_that_says_all_needs_no_setting(
    start_tls: StartTls, authority: Authority, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = start_tls()
    for mode in ("", "?sslmode=require", f"?sslmode=verify-full&sslrootcert={authority.file}"):
        await works(url + mode)
    assert "unable to get local issuer" in await refused(f"{url}?sslmode=verify-full&sslrootcert={stranger.file}")
    monkeypatch.setenv("PGSSLROOTCERT", str(authority.file))
    await works(f"{url}?sslmode=verify-full")


async def test_another_authority_is_refused(start_tls: StartTls, stranger: Authority) -> None:
    url = start_tls()
    for root_cert in (str(stranger.file), "system"):
        assert await refused(url, root_cert) == (
            "the database cannot be used: its certificate is refused (unable to get local issuer certificate): "
            "give the certificate of the authority that signed it as database.ssl_root_cert"
        )


async def test_the_name_of_another_host_is_refused_unless_names_are_not_checked(
    start_tls: StartTls, authority: Authority
) -> None:
    url = start_tls("db.example")
    said = await refused(url, str(authority.file))
    assert "its certificate is refused (IP address mismatch" in said
    assert said.endswith(
        "name the host in DATABASE_URL as the certificate does, or add sslmode=verify-ca to check no name"
    )
    await works(f"{url}?sslmode=verify-ca", str(authority.file))
    assert "is not valid for 'localhost'" in await refused(url.replace(HERE, "localhost"), str(authority.file))


async def test_a_certificate_that_has_expired_is_refused(start_tls: StartTls, authority: Authority) -> None:
    url = start_tls(expired=True)
    assert (await refused(url, str(authority.file))).endswith("(certificate has expired): renew it there")


async def test_a_database_without_tls_is_refused_where_tls_is_wanted(start_tls: StartTls, authority: Authority) -> None:
    url = start_tls(None)
    await works(url)
    for said in (await refused(url, str(authority.file)), await refused(url + "?sslmode=require")):
        assert "rejected SSL upgrade: turn ssl on there, or leave sslmode out" in said


async def test_an_address_without_tls_is_refused_where_the_database_wants_it(start_tls: StartTls) -> None:
    assert "SSL required: leave sslmode=disable out" in await refused(start_tls() + "?sslmode=disable")


@pytest.mark.parametrize(
    ("options", "root_cert", "said"),
    [
        ("", "/nowhere/ca.crt", "database.ssl_root_cert: cannot read /nowhere/ca.crt: No such file or directory"),
        ("", "-----BEGIN CERTIFICATE-----\nx", "database.ssl_root_cert: its text holds no certificates (PEM)"),
        ("", __file__, f"database.ssl_root_cert: {__file__} holds no certificates (PEM)"),
        ("?sslmode=prefer", "system", "DATABASE_URL says sslmode=prefer, which checks nothing: leave one out"),
        ("?sslcert=/a", "system", "DATABASE_URL says sslcert: say all of it in DATABASE_URL"),
        ("?sslmode=verify-full&sslrootcert=/nowhere/ca.crt", "", "No such file or directory: see that it runs"),
        ("?sslmode=verify-full", "", "does not exist or cannot be accessed: name one that is there"),
        ("?sslmode=always", "", "`sslmode` parameter must be one of"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anybody_is_asked(options: str, root_cert: str, said: str) -> None:
    assert said in await refused(f"postgresql://nobody@127.0.0.1:1/nothing{options}", root_cert)
