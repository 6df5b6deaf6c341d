"""What is generated is what is committed, and a changed contract is told."""

from pathlib import Path

import pytest

from pairquiz_server.contract.documents import documents, published
from pairquiz_server.contract.publication import complaints
from pairquiz_server.contract.surface import surface

TOP = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", documents(TOP), ids=lambda path: path.name)
def test_a_generated_file_is_as_it_is_generated(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == documents(TOP)[path], "run scripts/contract, and commit what it writes"


def test_a_changed_contract_has_its_line_and_its_version() -> None:
    changelog = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "\n".join(complaints(published(TOP), surface(), changelog)) == ""
