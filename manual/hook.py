"""How MkDocs makes one site of what stands in docs/ and elsewhere in the repository.

Documents link to each other as they lie in the repository, so that they can be read there, too. Here each such link
leads to the page of the site that it became; a file that is no page is carried along, as text.
"""

import os.path
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

TOP = Path(__file__).resolve().parents[1]
DOCS = TOP / "docs"

ELSEWHERE = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "examples/README.md": "examples.md",
    "frontend/README.md": "page.md",
    "frontend/client/README.md": "client-package.md",
}
"""Documents outside docs/ that are pages, and what each is called."""

INSTEAD = {"README.md": "index.md", "config.toml": "settings.md"}
"""What has a page in its place that says the same."""

_LINK = re.compile(r"\]\((?![a-z]+:|#|<)([^)#\s]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the decisions into the navigation, by their numbers."""
    decisions = [f"decisions/{path.name}" for path in sorted((DOCS / "decisions").glob("*.md"))]
    assert config.nav is not None
    config.nav[-1] = {"Decisions": decisions}
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add what the site has from outside docs/."""
    for source, uri in ELSEWHERE.items():
        files.append(File.generated(config, uri, abs_src_path=str(TOP / source)))
    for page in files.documentation_pages():
        document = Path(str(page.abs_src_path))
        for target, _ in _LINK.findall(document.read_text(encoding="utf-8")):
            carried = _carried(document, target)
            if carried is not None and files.get_file_from_path(_uri(carried)) is None:
                files.append(File.generated(config, _uri(carried), abs_src_path=str(carried)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Let each link lead to where its document is on the site."""
    if page.is_homepage:
        page.meta["hide"] = ["navigation", "toc"]
    source = Path(str(page.file.abs_src_path))
    folder = os.path.dirname(page.file.src_uri)  # noqa: PTH120 - a path of the site

    def leading(link: re.Match[str]) -> str:
        target = (source.parent / link[1]).resolve()
        return f"]({os.path.relpath(_uri(target), folder or '.')}{link[2] or ''})"

    return _LINK.sub(leading, markdown)


def _carried(source: Path, target: str) -> Path | None:
    """The file that a document links to, where it is no page of the site and none stands in its place."""
    path = (source.parent / target).resolve()
    return path if path.is_file() and _uri(path).startswith("files/") else None


def _uri(path: Path) -> str:
    """What a file of the repository is called on the site; a folder is its README."""
    if path.is_relative_to(DOCS):
        return _page_of_folder(path) if path.is_dir() else path.relative_to(DOCS).as_posix()
    if path.is_dir():
        path /= "README.md"
    name = path.relative_to(TOP).as_posix() if path.is_relative_to(TOP) else path.name
    return ELSEWHERE.get(name) or INSTEAD.get(name) or f"files/{name}.txt"


def _page_of_folder(folder: Path) -> str:
    first = sorted(folder.glob("*.md"))[0]
    return first.relative_to(DOCS).as_posix()
