"""The page to play on, as the server gives it; what it is like to play on it, tests/browser shows."""

import gzip
import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from pairquiz_server.web.rest.page import POLICY
from tests.conftest import Server, StartServer
from tests.web.answered import Answer, ask, guarded, request

SECRET = "a secret of at least thirty-two bytes"
INDEX = b"<!doctype html><script type=module src=/assets/page-Ab1.js></script>"
SCRIPT = b"console.log('a page')\n" * 50
PLACES = ["/", "/?utm=x", "/pair-quiz/01234567-89ab-4cde-8f01-23456789abcd", "/pair-quiz/x/", "/pair-quiz/challenge/K7"]
GZ = gzip.compress(SCRIPT, mtime=0)
BR = b"what brotli makes of it"  # nobody here can tell


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as a build leaves it."""
    folder = tmp_path / "outside" / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "mark.svg").write_text("<svg/>")
    (folder / ".made-of").write_text("a fingerprint")
    (folder.parent / "secret.txt").write_text("outside of the page")
    script = folder / "assets" / "page-Ab1.js"
    script.write_bytes(SCRIPT)
    script.with_name("page-Ab1.js.gz").write_bytes(GZ)
    script.with_name("page-Ab1.js.br").write_bytes(BR)
    return folder


@pytest.fixture
async def served(start_server: StartServer, built: Path) -> Server:
    """A server with that page."""
    return await start_server(PAIRQUIZ_SERVER__PAGE=str(built))


async def get(server: Server, path: str, *headers: str) -> Answer:
    return await ask(server.url, request(f"GET {path}", *headers))


@pytest.mark.parametrize("path", PLACES)
async def test_the_page_is_shown_wherever_a_person_arrives(served: Server, path: str) -> None:
    answer = await get(served, path)
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert guarded(answer, POLICY)
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert (await ask(served.url, request(f"POST {path}"))).status == 405


async def test_the_page_runs_no_script_that_is_written_into_it(served: Server) -> None:
    policy = dict(
        part.split(" ", 1) for part in (await get(served, "/")).headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"unsafe|\*|https?:", json.dumps(policy))
    assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"


async def test_what_has_its_hash_in_its_name_is_kept_for_a_year_and_all_else_is_asked_for_again(served: Server) -> None:
    script = await get(served, "/assets/page-Ab1.js")
    assert (script.status, script.body) == (200, SCRIPT)
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert guarded(script)
    mark = await get(served, "/mark.svg")
    assert (mark.headers["content-type"], mark.headers["cache-control"]) == ("image/svg+xml", "no-cache")
    assert "vary" not in mark.headers


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [("gzip, deflate, br", "br", BR), ("gzip", "gzip", GZ), ("deflate", None, SCRIPT)],
    ids=["brotli", "gzip", "neither"],
)
async def test_a_file_comes_compressed_to_whoever_takes_it(
    served: Server, accepted: str, coding: str | None, body: bytes
) -> None:
    answer = await get(served, "/assets/page-Ab1.js", f"Accept-Encoding: {accepted}")
    assert answer.headers.get("content-encoding") == coding
    assert (answer.body, answer.headers["content-length"]) == (body, str(len(body)))
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in (await get(served, "/mark.svg", f"Accept-Encoding: {accepted}")).headers


async def test_what_a_browser_has_already_is_not_sent_again(served: Server) -> None:
    first = await get(served, "/")
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await get(served, "/", f"If-None-Match: {known}")
        assert (again.status, again.body) == (304, b""), known
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == "no-cache"
        assert guarded(again, POLICY)
    for unknown in ('"other"', "rubbish", ""):
        assert (await get(served, "/", f"If-None-Match: {unknown}")).status == 200
    small = await get(served, "/assets/page-Ab1.js", "Accept-Encoding: br")
    large = await get(served, "/assets/page-Ab1.js", f"If-None-Match: {small.headers['etag']}")
    assert large.status == 200, "another coding is another answer"


async def test_a_head_says_what_a_get_would(served: Server) -> None:
    for path in ("/", "/assets/page-Ab1.js"):
        asked = await get(served, path, "Accept-Encoding: br")
        head = await ask(served.url, request(f"HEAD {path}", "Accept-Encoding: br"))
        assert (head.status, head.body) == (200, b"")
        assert head.headers | {"date": ""} == asked.headers | {"date": ""}


@pytest.mark.parametrize(
    "path",
    [
        "/assets/other.js",
        "/assets/",
        "/assets",
        "/index.html.gz",
        "/assets/page-Ab1.js.br",
        "/.made-of",
        "/secret.txt",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/....//secret.txt",
        "//secret.txt",
        "/assets/%00",
        "/pair-quiz/a/b",
        "/pair-quiz/challenge/a/b",
    ],
)
async def test_what_is_no_file_of_the_page_is_no_page(served: Server, path: str) -> None:
    answer = await get(served, path)
    assert answer.status == 404, answer
    assert json.loads(answer.body)["error"]["code"] == "not_found"
    assert guarded(answer)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_file_that_comes_later_is_none_of_the_page(served: Server, built: Path) -> None:
    (built / "assets" / "later.js").write_text("1")
    (built / "index.html").write_text("2")
    assert (await get(served, "/assets/later.js")).status == 404
    assert (await get(served, "/")).body == INDEX


@pytest.mark.parametrize("path", PLACES)
async def test_a_person_who_opens_a_server_without_a_page_is_told_what_is_here(
    start_server: StartServer, path: str
) -> None:
    server = await start_server(PAIRQUIZ_SERVER__PAGE="none")
    answer = await get(server, path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = answer.body.decode()
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    own = f"style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert guarded(answer, f"default-src 'none'; {own}")
    assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:|https?://", page)
    assert "scripts/page" not in page
    assert (await ask(server.url, request(f"POST {path}"))).status == 405


async def test_what_is_shown_without_a_page_has_nothing_of_what_its_link_says(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_SERVER__PAGE="none")
    marked = await get(server, "/pair-quiz/%3Cscript%3Ealert(1)%3C%2Fscript%3E?x=<script>")
    assert (marked.status, marked.body) == (200, (await get(server, "/")).body)


async def test_where_the_page_is_not_built_it_is_said_how(
    start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pairquiz_server.config.folders._PACKAGE", tmp_path / "checkout" / "pairquiz_server")
    assert b"scripts/page" in (await get(await start_server(), "/")).body
    assert b"scripts/page" not in (await get(await start_server(JWT_SECRET=SECRET), "/")).body


async def test_our_own_page_is_shown_where_guests_may_play(
    start_server: StartServer, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = built.parent.rename(built.parents[1] / "frontend").parent
    monkeypatch.setattr("pairquiz_server.config.folders._PACKAGE", checkout / "pairquiz_server")
    assert (await get(await start_server(), "/")).body == INDEX
    assert (await get(await start_server(JWT_SECRET=SECRET), "/")).body != INDEX
    guests = await start_server(JWT_SECRET=SECRET, PAIRQUIZ_AUTH__MODE="guest")
    assert (await get(guests, "/")).body == INDEX
