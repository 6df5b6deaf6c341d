"""The wheel carries whatever the server needs to run, and the page where it is built."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
MADE_OF = (
    "pairquiz_server",
    "sql",
    "setup.cfg",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "config.toml",
)
PAGE = ("index.html", "index.html.br", "assets/page-Ab1.js", "assets/page-Ab1.js.gz", "mark.svg")
CARRIED = {f"pairquiz_server/_page/dist/{name}" for name in PAGE}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a wheel is made of, and a page that was not built yet."""
    folder = tmp_path / "checkout"
    (folder / "frontend" / "node_modules" / "x").mkdir(parents=True)
    for name in ("package.json", "src.ts", "node_modules/x/index.js"):
        (folder / "frontend" / name).write_text("{}")
    for name in MADE_OF:
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def packed(checkout: Path, how: str) -> Path:
    """Pack the checkout as pip asks setuptools to, and return what came of it."""
    out = checkout.parent / how
    out.mkdir()
    program = f"from setuptools import build_meta; print(build_meta.{how}({str(out)!r}))"
    run = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return out / run.stdout.split()[-1]


def with_page(checkout: Path) -> Path:
    for name in PAGE:
        file = checkout / "frontend" / "dist" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return checkout


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_a_wheel_without_a_page_has_all_that_the_server_needs(checkout: Path) -> None:
    found = names(packed(checkout, "build_wheel"))
    needed = {path.relative_to(TOP / "pairquiz_server") for path in (TOP / "pairquiz_server").rglob("*.*")}
    needed = {path for path in needed if path.suffix != ".pyc" and path.parts[0] not in ("_sql", "_page")}
    assert {f"pairquiz_server/{path}" for path in needed} <= found
    assert {f"pairquiz_server/_sql/{path.relative_to(TOP / 'sql')}" for path in (TOP / "sql").rglob("*.sql")} <= found
    assert not [name for name in found if "/_page/" in name]


def test_a_wheel_has_the_built_page_and_nothing_else_of_the_frontend(checkout: Path) -> None:
    found = names(packed(with_page(checkout), "build_wheel"))
    assert {name for name in found if "/_page/" in name} == CARRIED


@pytest.mark.parametrize(("built", "carried"), [(with_page, CARRIED), (Path, set())], ids=["built", "not built"])
def test_a_wheel_can_be_made_of_a_source_distribution(
    checkout: Path, built: Callable[[Path], Path], carried: set[str]
) -> None:
    unpacked = checkout.parent / "unpacked"
    with tarfile.open(packed(built(checkout), "build_sdist")) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(unpacked)
    (source,) = unpacked.iterdir()
    assert {name for name in names(packed(source, "build_wheel")) if "/_page/" in name} == carried
