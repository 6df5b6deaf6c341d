"""The files that deploy, judged by the tools that others judge such files by."""

import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.files import CHECKOUT
from tests.programs import FETCHED, Program, program

UNIT = CHECKOUT / "deploy" / "systemd" / "pairquiz-server.service"
EXPOSURE_MAX = 2.0
"""Of systemd's own ten: what a unit may do that it might not need."""


def judged(*command: str | Path, environ: dict[str, str] | None = None) -> str:
    """Run a tool that ends with 0 where it finds nothing, and return what it says."""
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, env=environ, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def tool(name: str) -> Path:
    """Return where a tool is that comes from PyPI."""
    return Path(sys.executable).with_name(name)


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert judged(tool("hadolint"), "Dockerfile") == ""


def test_the_compose_file_is_one() -> None:
    judged(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


def systemd_analyze() -> Program:
    found = program("systemd-analyze", "systemd")
    libraries = ":".join(map(str, FETCHED.glob("**/*-linux-gnu/systemd")))
    known = found.environ.get("LD_LIBRARY_PATH", "")
    return Program(found.path, found.environ | {"LD_LIBRARY_PATH": f"{known}:{libraries}"})


def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    analyze = systemd_analyze()
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text().replace("/opt/pairquiz/bin/pairquiz-server", "/bin/true"))
    assert judged(analyze.path, "verify", here, environ=analyze.environ) == "", "it would ignore what it does not know"
    said = judged(analyze.path, "security", "--offline=yes", "--no-pager", here, environ=analyze.environ)
    (exposure,) = re.findall(r"exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= EXPOSURE_MAX


def test_the_unit_gives_the_server_time_to_leave_and_reads_no_secret_of_its_own() -> None:
    unit = UNIT.read_text()
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1]) > 8  # type: ignore[index]
    assert "KillSignal=SIGTERM" in unit
    assert "ExecStart=/opt/pairquiz/bin/pairquiz-server serve\n" in unit
    assert "EnvironmentFile=/etc/pairquiz-server/environment" in unit
    assert not re.search(r"^Environment=", unit, re.MULTILINE)


def test_the_unit_makes_the_folder_in_which_its_operator_is_heard() -> None:
    """With a /tmp of its own, `auto` would be where no command finds it."""
    unit = UNIT.read_text()
    assert "PrivateTmp=yes" in unit
    (folder,) = re.findall(r"^RuntimeDirectory=(\S+)$", unit, re.MULTILINE)
    (named,) = re.findall(
        r"^PAIRQUIZ_ADMIN__SOCKET=(\S+)$", UNIT.with_name("environment.example").read_text(), re.MULTILINE
    )
    assert Path(named).parent == Path("/run", folder)
    assert f"PAIRQUIZ_ADMIN__SOCKET={named} " in (CHECKOUT / "docs" / "deployment.md").read_text()
