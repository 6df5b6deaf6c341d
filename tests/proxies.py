"""Real nginx and real HAProxy before servers of this machine, by the files of deploy/.

Whoever comes says by `X-Tested-As` from which address: all come from the loopback, and would else be one client.
"""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

from tests.ports import OwnPort
from tests.programs import listening, program

DEPLOY = Path(__file__).parents[1] / "deploy"
TESTED_AS = "X-Tested-As"

Balancer = Callable[[Path, Sequence[int]], AbstractAsyncContextManager[str]]
"""Starts a proxy before servers at ports, with its files in a folder, and yields its address."""


@asynccontextmanager
async def nginx(folder: Path, ports: Sequence[int]) -> AsyncIterator[str]:
    """nginx by deploy/nginx, without TLS."""
    found = program("nginx", "nginx-light")
    with closing(OwnPort()) as port:
        upstreams = (DEPLOY / "nginx" / "upstreams.conf").read_text()
        (folder / "upstreams.conf").write_text(_with_servers(upstreams, "server 127.0.0.1:{port} max_fails=0;", ports))
        locations = (DEPLOY / "nginx" / "locations.conf").read_text()
        (folder / "locations.conf").write_text(locations.replace("/var/log/nginx/", f"{folder}/"))
        temporary = "".join(
            f"{what}_temp_path {folder}/{what};" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"""daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
            events {{ worker_connections 4096; }}
            http {{
                {temporary}
                set_real_ip_from 127.0.0.1;
                real_ip_header {TESTED_AS};
                include {folder}/upstreams.conf;
                include {DEPLOY}/nginx/http.conf;
                server {{ listen 127.0.0.1:{port.number}; include {folder}/locations.conf; }}
            }}"""
        )
        command = [found.path, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
        async with listening(command, found.environ, folder / "nginx.log", port.number):
            yield f"http://127.0.0.1:{port.number}"


@asynccontextmanager
async def haproxy(folder: Path, ports: Sequence[int]) -> AsyncIterator[str]:
    """HAProxy by deploy/haproxy, without TLS."""
    found = program("haproxy", "haproxy")
    with closing(OwnPort()) as port:
        configuration = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
        configuration = _with_servers(configuration, "server node-{port} 127.0.0.1:{port}", ports)
        address = f"bind 127.0.0.1:{port.number}\n    http-request set-src hdr({TESTED_AS})"
        configuration = configuration.replace("bind :80", address, 1)
        configuration = re.sub(r"\n *(bind :443|http-request redirect scheme https) .*", "", configuration)
        (folder / "haproxy.cfg").write_text(configuration)
        command = [found.path, "-db", "-f", str(folder / "haproxy.cfg")]
        async with listening(command, found.environ, folder / "haproxy.log", port.number):
            yield f"http://127.0.0.1:{port.number}"


BALANCERS: dict[str, Balancer] = {"nginx": nginx, "haproxy": haproxy}


def _with_servers(configuration: str, line: str, ports: Sequence[int]) -> str:
    """Put servers in place of the one that a file has in each of its lists."""
    servers = "\n    ".join(line.format(port=port) for port in ports)
    return re.sub(r"(?m)(?<=^    )server .*127\.0\.0\.1:8000.*$", servers, configuration)
