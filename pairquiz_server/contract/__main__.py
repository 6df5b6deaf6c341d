"""`scripts/contract`: writes the generated files of the repository anew, and says what a change needs beside that."""

import sys
from pathlib import Path

from pairquiz_server.contract.documents import documents, publication, published
from pairquiz_server.contract.publication import complaints
from pairquiz_server.contract.surface import surface

TOP = Path(__file__).resolve().parents[2]


def main() -> None:
    """Write the files; with `--publish`, the contract as a release has it, too."""
    files = documents(TOP)
    if "--publish" in sys.argv[1:]:
        path, text = publication(TOP)
        files[path] = text
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(TOP)} is written anew")  # noqa: T201
    for line in complaints(published(TOP), surface(), (TOP / "CHANGELOG.md").read_text(encoding="utf-8")):
        print(line, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
