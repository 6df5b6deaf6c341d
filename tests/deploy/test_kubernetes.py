"""deploy/kubernetes: what the API would take, and what is true of the server."""

from typing import Any

import kubernetes_validate
import pytest
import yaml
from aiohttp import ClientSession

from pairquiz_server import config
from pairquiz_server.config import ConfigError
from tests.conftest import Server
from tests.deploy.files import CHECKOUT, SECRET

FOLDER = CHECKOUT / "deploy" / "kubernetes"
SECRETS = {"DATABASE_URL": "postgresql://a:b@c/d", "JWT_SECRET": SECRET}
LEAVING_S = 8
"""How long the server may take to end, at most (docs/deployment.md)."""

Manifest = dict[str, Any]


def manifests() -> dict[str, Manifest]:
    files = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    read = [yaml.safe_load((FOLDER / file).read_text()) for file in files]
    return {manifest["kind"]: manifest for manifest in read}


def pod() -> Manifest:
    spec: Manifest = manifests()["Deployment"]["spec"]["template"]["spec"]
    return spec


def container() -> Manifest:
    (only,) = pod()["containers"]
    found: Manifest = only
    return found


def test_kubernetes_takes_every_manifest() -> None:
    assert manifests().keys() == {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "Ingress"}
    for manifest in manifests().values():
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    assert {path.name for path in FOLDER.iterdir()} == {
        "kustomization.yaml",
        *yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"],
    }


def test_every_manifest_speaks_of_the_same_pods_and_port() -> None:
    found = manifests()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    (port,) = container()["ports"]
    (served,) = found["Service"]["spec"]["ports"]
    (allowed,) = found["NetworkPolicy"]["spec"]["ingress"][0]["ports"]
    assert served["targetPort"] == allowed["port"] == port["name"]
    backend = found["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": found["Service"]["metadata"]["name"], "port": {"name": served["name"]}}


def test_a_node_may_leave_only_while_another_stays() -> None:
    deployment = manifests()["Deployment"]["spec"]
    assert deployment["replicas"] >= 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert manifests()["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    kind, seconds = container()["lifecycle"]["preStop"]["exec"]["command"]
    assert kind == "sleep"
    assert pod()["terminationGracePeriodSeconds"] > int(seconds) + LEAVING_S


def test_a_container_may_do_nothing_but_serve() -> None:
    assert pod()["automountServiceAccountToken"] is False
    assert (pod()["securityContext"]["runAsNonRoot"], pod()["securityContext"]["runAsUser"]) == (True, 10001)
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_settings_of_a_container_are_taken_and_its_secrets_are_elsewhere() -> None:
    (source,) = container()["envFrom"]
    assert source == {"secretRef": {"name": "pairquiz-server"}}
    given = {entry["name"]: entry["value"] for entry in container()["env"]}
    image = {"PAIRQUIZ_SERVER__HOST": "0.0.0.0"}
    settings = config.load(environ=image | given | SECRETS)
    assert (settings.server.port, settings.server.trusted_proxies) == (container()["ports"][0]["containerPort"], 1)


def test_a_service_is_not_told_to_containers_as_if_it_were_a_setting() -> None:
    name = manifests()["Service"]["metadata"]["name"].upper().replace("-", "_")
    with pytest.raises(ConfigError, match="no setting"):
        config.load(environ={f"{name}_PORT": "tcp://10.0.0.1:80"})
    assert pod()["enableServiceLinks"] is False


async def test_every_probe_asks_what_there_is(server: Server) -> None:
    asked = {name: container()[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert asked == {"startup": "/readyz", "readiness": "/healthz", "liveness": "/healthz"}
    async with ClientSession(server.url) as session:
        for path in asked.values():
            async with session.get(path) as answer:
                assert answer.status == 200
