"""`scripts/docs --write`: writes the generated pages of docs/ anew."""

from pathlib import Path

from manual.pages import written

TOP = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write the pages that are not as they should be, and name them."""
    for path, text in written(TOP).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(TOP)} is written anew")  # noqa: T201


if __name__ == "__main__":
    main()
