"""What deploy/ puts before the nodes, as it stands there but for the addresses: nginx, Caddy and HAProxy, with TLS."""

import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from tests.ports import OwnPort
from tests.programs import Program, listening, program

DEPLOY = Path(__file__).parents[2] / "deploy"
PLAIN_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    {temporary}
    include pairquiz/{file};
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CADDY_HERE = """{{
	admin off
	grace_period 1s
	http_port {plain}
	https_port {port}
	skip_install_trust
	storage file_system {folder}/caddy
}}
"""


@dataclass(frozen=True)
class Gateway:
    """Where players come in, and the certificate of whoever vouches for it."""

    url: str
    plain_url: str
    vouches: Path


@dataclass(frozen=True)
class Place:
    """What a gateway's file is changed to: two ports, a certificate, and a folder for all that is written."""

    folder: Path
    port: int
    plain_port: int
    nodes: Sequence[str]
    certificate: Path
    key: Path

    def node_lines(self, line: str, template: str) -> str:
        """Repeat a line that names the one node of the file, for each node."""
        return "\n".join(line.replace(template, node) for node in self.nodes)


def nginx(place: Place, *, file: str = "pairquiz.conf") -> tuple[Program, list[str]]:
    """nginx with deploy/nginx."""
    here = place.folder / "pairquiz"
    shutil.copytree(DEPLOY / "nginx", here)
    for path in here.iterdir():
        text = path.read_text()
        text = re.sub(r"^\s*listen \[::\].*\n", "", text, flags=re.MULTILINE)
        text = text.replace("listen 80;", f"listen 127.0.0.1:{place.plain_port};")
        text = re.sub(r"listen (443|8080)\b", f"listen 127.0.0.1:{place.port}", text)
        text = text.replace("server_name quiz.example", "server_name localhost")
        text = re.sub(r"ssl_certificate +\S+;", f"ssl_certificate {place.certificate};", text)
        text = re.sub(r"ssl_certificate_key +\S+;", f"ssl_certificate_key {place.key};", text)
        text = re.sub(
            r"^ +server 127\.0\.0\.1:8000 .*$",
            lambda match: place.node_lines(match[0], "127.0.0.1:8000"),
            text,
            flags=re.MULTILINE,
        )
        # Debian's nginx is from before `resolve`, and there is no DNS of Docker's here.
        text = re.sub(r"^resolver .*\n", "", text, flags=re.MULTILINE)
        for number, node in enumerate(place.nodes, start=1):
            text = text.replace(f"server server-{number}:8000 resolve", f"server {node}")
        path.write_text(text.replace("/var/log/nginx/", f"{place.folder}/"))
    temporary = "\n".join(f"{kind}_temp_path {place.folder}/{kind};" for kind in TEMPORARY)
    config = place.folder / "nginx.conf"
    config.write_text(PLAIN_NGINX.format(folder=place.folder, temporary=temporary, file=file))
    found = program("nginx", "nginx-light")
    return found, [found.path, "-p", str(place.folder), "-e", "stderr", "-c", str(config)]


def caddy(place: Place) -> tuple[Program, list[str]]:
    """Caddy with deploy/caddy, and a certificate that it makes by itself."""
    text = CADDY_HERE.format(port=place.port, plain=place.plain_port, folder=place.folder)
    config = place.folder / "Caddyfile"
    config.write_text(text + (DEPLOY / "caddy" / "Caddyfile").read_text())
    found = program("caddy", "caddy")
    given = {"QUIZ_DOMAIN": "localhost", "QUIZ_NODES": " ".join(place.nodes), "HOME": str(place.folder)}
    command = [found.path, "run", "--adapter", "caddyfile", "--config", str(config)]
    return Program(found.path, found.environ | given), command


def haproxy(place: Place) -> tuple[Program, list[str]]:
    """HAProxy with deploy/haproxy."""
    both = place.folder / "quiz.pem"
    both.write_text(place.certificate.read_text() + place.key.read_text())
    text = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    text = text.replace("bind :80", f"bind 127.0.0.1:{place.plain_port}")
    text = text.replace("bind :443", f"bind 127.0.0.1:{place.port}").replace("/etc/haproxy/quiz.pem", str(both))
    nodes = "\n".join(f"    server node-{number} {node}" for number, node in enumerate(place.nodes, start=1))
    config = place.folder / "haproxy.cfg"
    config.write_text(text.replace("    server node-1 127.0.0.1:8000", nodes))
    found = program("haproxy", "haproxy")
    return found, [found.path, "-f", str(config)]


def nginx_of_compose(place: Place) -> tuple[Program, list[str]]:
    """nginx as docker-compose.yml has it: without TLS."""
    return nginx(place, file="compose.conf")


WITH_TLS = {"nginx": nginx, "caddy": caddy, "haproxy": haproxy}
GATEWAYS = {**WITH_TLS, "compose": nginx_of_compose}


@asynccontextmanager
async def gateway(name: str, folder: Path, nodes: Sequence[str]) -> AsyncIterator[Gateway]:
    """Start one before the nodes (`HOST:PORT`), and wait until it listens."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    _make_certificate(certificate, key)
    with closing(OwnPort()) as port, closing(OwnPort()) as plain:
        place = Place(folder, port.number, plain.number, nodes, certificate, key)
        found, command = GATEWAYS[name](place)
        authority = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        scheme = "https" if name in WITH_TLS else "http"
        async with listening(command, found.environ, folder / f"{name}.log", port.number):
            yield Gateway(
                f"{scheme}://localhost:{port.number}",
                f"http://localhost:{plain.number}",
                authority if name == "caddy" else certificate,
            )


def _make_certificate(certificate: Path, key: Path) -> None:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    made = ("openssl", "req", "-x509", *curve, *name, "-keyout", str(key), "-out", str(certificate))
    subprocess.run(made, check=True, capture_output=True)
