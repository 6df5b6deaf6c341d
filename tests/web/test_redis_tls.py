"""Redis over TLS: HAProxy speaks it before a Valkey, as the one from PyPI has none."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.certificates import Authority
from tests.conftest import StartServer
from tests.ports import OwnPort
from tests.programs import program
from tests.web.valkey import Valkey, hears_itself, until, valkey

PATIENCE_S = 30.0


@contextmanager
def tls_before(server: Valkey, folder: Path, authority: Authority, host: str) -> Iterator[int]:
    """Yield a port on which TLS is spoken to a server that has a certificate for a host."""
    haproxy = program("haproxy", "haproxy")
    both = folder / "both.pem"
    both.write_text("".join(file.read_text() for file in authority.issue(host)))
    with closing(OwnPort()) as port:
        listen = f"bind 127.0.0.1:{port.number} ssl crt {both}\nserver valkey {server.url.partition('//')[2]}"
        timeouts = "timeout connect 5s\ntimeout client 1h\ntimeout server 1h"
        (folder / "haproxy.cfg").write_text(f"defaults\nmode tcp\n{timeouts}\nlisten redis\n{listen}\n")
        command = [haproxy.path, "-db", "-q", "-f", folder / "haproxy.cfg"]
        process = subprocess.Popen(command, env=haproxy.environ)
        try:
            _await_listener(port.number)
            yield port.number
        finally:
            process.kill()
            process.wait()


def _await_listener(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "haproxy does not listen"
            time.sleep(0.01)


async def test_redis_is_spoken_to_by_tls(start_server: StartServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with valkey(tmp_path, tcp=True) as server, tls_before(server, tmp_path, authority, "localhost") as port:
        node = await start_server(REDIS_URL=f"rediss://localhost:{port}?ssl_ca_certs={authority.file}")
        await hears_itself(node)


@pytest.mark.parametrize(
    ("host", "trusts", "reason"),
    [("redis.example", True, "not valid for 'localhost'"), ("localhost", False, "unable to get local issuer")],
)
async def test_a_certificate_of_somebody_else_is_refused(
    start_server: StartServer, tmp_path: Path, host: str, trusts: bool, reason: str
) -> None:
    authority = Authority(tmp_path)
    with valkey(tmp_path, tcp=True) as server, tls_before(server, tmp_path, authority, host) as port:
        with capture_logs() as logs:
            options = f"?ssl_ca_certs={authority.file}" if trusts else ""
            node = await start_server(REDIS_URL=f"rediss://localhost:{port}{options}")
            await until(lambda: [line for line in logs if line["event"] == "redis_lost"])
        assert reason in next(line["reason"] for line in logs if line["event"] == "redis_lost")
        assert not (await node.running.health.checks())["redis"]
