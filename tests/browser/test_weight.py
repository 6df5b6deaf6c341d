"""What a phone has to load before its first duel."""

import gzip
import re
from pathlib import Path

BUDGET_BYTES = 120 * 1024


def test_the_page_is_light(page: Path) -> None:
    files = [path for path in page.rglob("*") if path.suffix in (".html", ".js", ".css", ".svg")]
    weights = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in files}
    assert sum(weights.values()) <= BUDGET_BYTES, weights


def test_the_page_brings_all_that_it_runs_as_files_of_its_own(page: Path) -> None:
    index = (page / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", index), "its policy would not let it run"
    assert not re.search(r"<style|\sstyle=|\son\w+=", index)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", index)


def test_each_text_is_there_compressed(page: Path) -> None:
    for path in [path for path in page.rglob("*") if path.suffix in (".html", ".js", ".css", ".svg")]:
        assert gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()) == path.read_bytes()
        assert path.with_name(f"{path.name}.br").stat().st_size < path.stat().st_size
