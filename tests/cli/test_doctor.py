"""`doctor`: what is wrong, for people and for machines."""

import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.cli.conftest import COMMAND, PATIENCE_S, SECRET, Invoke, StartServe, clean_environment, one_line
from tests.doctor.nginx import nginx
from tests.ports import OwnPort

HUSH = "hush-hush"


def test_a_healthy_server_has_nothing_that_fails(invoke: Invoke, database_url: str) -> None:
    result = invoke("doctor", DATABASE_URL=database_url, JWT_SECRET=SECRET)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "ok       settings               they can be read: pairquiz-server config prints them"
    assert lines[-1].startswith("0 failed, ")
    assert "\x1b" not in result.stdout  # nobody's terminal


def test_what_fails_is_told_with_what_mends_it(invoke: Invoke) -> None:
    with closing(OwnPort()) as port:
        result = invoke("doctor", DATABASE_URL=f"postgresql://someone:{HUSH}@127.0.0.1:{port.number}/quiz")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    (place,) = [place for place, line in enumerate(lines) if line.startswith("failed ")]
    assert lines[place].endswith("[database-refused]")
    assert lines[place + 1].strip().startswith('mend: pg_isready --dbname "$DATABASE_URL"')
    assert lines[-1].startswith("1 failed, ")


def test_settings_that_cannot_be_read_are_a_finding(invoke: Invoke) -> None:
    result = invoke("doctor", "--json", JWT_SECRET="short")
    assert result.exit_code == 1
    first, *rest = json.loads(result.stdout)
    assert (first["check"], first["fault"], first["outcome"]) == ("settings", "secret-invalid", "failed")
    assert {one["outcome"] for one in rest} == {"skipped"}


def test_no_secret_is_told(invoke: Invoke, database_url: str) -> None:
    with closing(OwnPort()) as port:
        nobody = f"127.0.0.1:{port.number}"
        for url in (f"postgresql://a:{HUSH}@{nobody}/b", f"postgresql://a:{HUSH}@nobody.invalid/b?sslmode={HUSH}"):
            secret = f"{HUSH}-{SECRET}"
            environ = {"DATABASE_URL": url, "REDIS_URL": f"redis://a:{HUSH}@{nobody}", "JWT_SECRET": secret}
            for words in ((), ("--json",)):
                assert HUSH not in invoke("doctor", *words, **environ).output
        keys = f"http://{nobody}/keys?apikey={HUSH}"
        assert (
            HUSH
            not in invoke("doctor", "--token", HUSH, DATABASE_URL=database_url, PAIRQUIZ_AUTH__JWKS_URL=keys).output
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--session", "x"], "--url"),
        (["--url", "ftp://quiz.example"], "is no address of a server"),
        (["--url", "quiz.example", "--token", "a", "--token", "b", "--token", "c"], "two players"),
        (["--url", "quiz.example", "--config", "nowhere.toml"], "cannot read nowhere.toml"),
    ],
)
def test_what_was_asked_wrongly_is_told_in_a_line(invoke: Invoke, words: list[str], said: str) -> None:
    assert said in one_line(invoke("doctor", *words, JWT_SECRET=SECRET))


def test_a_deployed_server_is_looked_at_over_tls(start_serve: StartServe, tmp_path: Path) -> None:
    server = start_serve(JWT_SECRET=SECRET, PAIRQUIZ_SERVER__PING_INTERVAL_S="1")
    authority = Authority(tmp_path)
    with nginx(tmp_path, server.url, tls=authority.issue("127.0.0.1")) as url:
        done = subprocess.run(
            [*COMMAND, "doctor", "--url", url, "--origin", "http://localhost:3000", "--json"],
            env=clean_environment(SSL_CERT_FILE=str(authority.file), JWT_SECRET=SECRET),
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE_S,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    found = {one["check"]: one.get("fault", one["outcome"]) for one in json.loads(done.stdout)}
    assert found.pop("certificate") == "url-certificate-ending"  # it is a day's
    assert found.pop("session") == "skipped"
    assert found.pop("answers") in ("ok", "answers-slow")  # this machine may have much else to do
    assert set(found.values()) == {"ok"}
    assert found["duel"] == "ok"
