"""An nginx before a server, as somebody may have set it up."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.ports import OwnPort
from tests.programs import program

PATIENCE_S = 30.0
UPGRADE = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrading;"
"""What a proxy before the server needs."""
_CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; {user}
events {{ worker_connections 128; }}
http {{
    access_log off; error_log {folder}/error.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; proxy_cache_path {folder}/cache keys_zone=kept:1m;
    map $http_upgrade $upgrading {{ default upgrade; '' close; }}
    upstream servers {{ {servers} }}
    server {{
        listen 127.0.0.1:{port} {tls};
        proxy_set_header Host $http_host;
        {server}
        location / {{ proxy_pass http://servers; {location} }}
    }}
}}
"""


@contextmanager
def nginx(
    folder: Path,
    *servers: str,
    location: str = UPGRADE,
    server: str = "",
    tls: tuple[Path, Path] | None = None,
) -> Iterator[str]:
    """Run one before some servers, and yield its address; the rest is written into its configuration."""
    found = program("nginx", "nginx-light")
    config = folder / "nginx.conf"
    if tls:
        server += f"ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]};"
    with closing(OwnPort()) as port:
        config.write_text(
            _CONFIG.format(
                folder=folder,
                user="user root;" if os.geteuid() == 0 else "",
                servers=" ".join(f"server {url.partition('://')[2]};" for url in servers or ("http://127.0.0.1:1",)),
                port=port.number,
                tls="ssl" if tls else "",
                server=server,
                location=location,
            )
        )
        command = [found.path, "-e", folder / "error.log", "-p", folder, "-c", config]
        process = subprocess.Popen(command, env=found.environ, stderr=subprocess.PIPE)
        try:
            _await(folder / "nginx.pid", process)
            yield f"{'https' if tls else 'http'}://127.0.0.1:{port.number}"
        finally:
            process.terminate()
            process.communicate()


def _await(pid_file: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until it listens, and says so by a file."""
    deadline = time.monotonic() + PATIENCE_S
    while not (pid_file.exists() and pid_file.read_text()):
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.01)
