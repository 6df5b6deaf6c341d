"""The pages of docs/ that programs write."""

from pathlib import Path

from manual import commands, settings
from pairquiz_server.cli.main import main


def written(top: Path) -> dict[Path, str]:
    """Return the pages as they should be, by where they are."""
    config = (top / "config.toml").read_text(encoding="utf-8")
    return {top / "docs" / "cli.md": commands.reference(main), top / "docs" / "settings.md": settings.reference(config)}
