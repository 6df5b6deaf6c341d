"""docker-compose.yml, as Compose fills it in."""

import re

import pytest

from pairquiz_server import config
from tests.deploy.files import CHECKOUT, SECRET, compose, compose_environment, read


def test_compose_passes_on_whatever_the_document_names() -> None:
    table = read("docs/deployment.md").partition("| name | what |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) - {"PORT"}  # of the machine, not of the container
    assert len(named) > 8
    assert named <= compose()["services"]["server-1"]["environment"].keys()


def test_compose_takes_an_issuer_with_keys_of_its_own_in_place_of_a_secret() -> None:
    given = {"SUPABASE_URL": "https://x.supabase.co", "PAIRQUIZ_METRICS__TOKEN": SECRET}
    settings = config.load(environ=compose_environment("server-1", POSTGRES_PASSWORD="pw", **given))
    assert (settings.guests_allowed, settings.jwt_secret, settings.metrics_token) == (False, None, SECRET)
    given = {"PAIRQUIZ_AUTH__JWKS_URL": "https://x.example/keys", "PAIRQUIZ_AUTH__ISSUER": "https://x.example"}
    settings = config.load(environ=compose_environment("server-1", POSTGRES_PASSWORD="pw", **given))
    assert (settings.auth.jwks_url, settings.auth.issuer) == ("https://x.example/keys", "https://x.example")


def test_compose_starts_the_servers_after_their_own_database_and_valkey() -> None:
    services = compose()["services"]
    server, postgres = services["server-1"], services["postgres"]
    given = {"POSTGRES_PASSWORD": "pw", "JWT_SECRET": SECRET}
    theirs = compose_environment("postgres", **given)
    ours = compose_environment("server-1", **given)
    assert ours["DATABASE_URL"] == (
        f"postgresql://{theirs['POSTGRES_USER']}:{theirs['POSTGRES_PASSWORD']}@postgres:5432/{theirs['POSTGRES_DB']}"
    )
    assert ours["REDIS_URL"] == "redis://valkey:6379"
    assert set(server["depends_on"]) == {"postgres", "valkey"}
    assert all(known == {"condition": "service_healthy"} for known in server["depends_on"].values())
    assert f"--username={theirs['POSTGRES_USER']}" in postgres["healthcheck"]["test"]
    (volume,) = postgres["volumes"]
    name, folder = volume.split(":")
    assert name in compose()["volumes"]
    assert int(postgres["image"].partition(":")[2]) >= 18
    assert folder == "/var/lib/postgresql", "where the image keeps its data from 18 on"


def test_compose_has_two_servers_and_nginx_before_them_alone_is_reached() -> None:
    services = compose()["services"]
    built, same = dict(services["server-1"]), dict(services["server-2"])
    assert built.pop("build") == "."
    assert same.pop("pull_policy") == "never", "it is built, and by one alone: two at a time are in each other's way"
    assert built == same
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    nginx = services["nginx"]
    assert nginx["ports"] == ["${PORT:-8000}:8080"]
    assert set(nginx["depends_on"]) == {"server-1", "server-2"}
    for volume in nginx["volumes"]:
        file, place, how = volume.split(":")
        assert ((CHECKOUT / file).is_file(), how) == (True, "ro")
        assert place.startswith("/etc/nginx/")
    named = set(re.findall(r"server (server-\d):8000 resolve", read("deploy/nginx/compose.conf")))
    assert named == {"server-1", "server-2"}
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert compose()["networks"]["back"]["internal"]
    assert (networks["postgres"], networks["valkey"], networks["nginx"]) == ({"back"}, {"back"}, {"front"})


@pytest.mark.parametrize("service", ["server-1", "server-2", "nginx", "postgres", "valkey"])
def test_a_service_of_compose_may_write_and_do_only_what_it_must(service: str) -> None:
    found = compose()["services"][service]
    assert (found["read_only"], found["cap_drop"]) == (True, ["ALL"])
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert ("cap_add" in found) == (service == "postgres"), "which starts as root"
    assert set(found["tmpfs"]) <= {"/tmp", "/data", "/run/postgresql"}


def test_compose_passes_on_what_its_operator_sets() -> None:
    given = {"POSTGRES_PASSWORD": "pw", "JWT_SECRET": SECRET, "PAIRQUIZ_AUTH__MODE": "guest", "SUPABASE_URL": ""}
    given["PAIRQUIZ_SERVER__ALLOWED_ORIGINS"] = '["https://quiz.example"]'
    settings = config.load(environ=compose_environment("server-1", **given))
    assert settings.guests_allowed
    assert settings.allowed_origins == ("https://quiz.example",)
