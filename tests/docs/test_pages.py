"""The site is whole: each page has its place and its readers, and what is generated is new."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from manual.pages import written
from tests.docs.blocks import TOP

PAGES = sorted(TOP.glob("docs/*.md"))


def places(nav: Any) -> list[str]:
    """The pages of a navigation, in their order."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [place for part in parts for place in places(part)]


@pytest.mark.parametrize("path", written(TOP), ids=lambda path: path.name)
def test_what_programs_write_is_new(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == written(TOP)[path], "run  scripts/docs --write"


def test_every_page_has_a_place() -> None:
    named = places(yaml.safe_load((TOP / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert {page.name for page in PAGES} <= set(named)
    assert len(named) == len(set(named))


@pytest.mark.parametrize("page", [*PAGES, TOP / "ARCHITECTURE.md", TOP / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_a_page_begins_with_whom_it_is_for(page: Path) -> None:
    assert re.match(r"# .+\n\nFor [a-z]", page.read_text(encoding="utf-8"))


def test_nothing_of_the_site_is_fetched_from_elsewhere() -> None:
    settings = yaml.safe_load((TOP / "mkdocs.yml").read_text(encoding="utf-8"))
    assert settings["theme"]["font"] is False
    assert "offline" in settings["plugins"]
    assert not re.search(r"url\(|@import", (TOP / "docs" / "assets" / "site.css").read_text(encoding="utf-8"))
