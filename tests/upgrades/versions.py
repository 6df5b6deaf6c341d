"""Versions of the server as folders: a commit of this repository, or this checkout made one version newer."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pairquiz_server.store.migrations import read_migrations

TOP = Path(__file__).resolve().parents[2]
WHAT_SERVES = ("pairquiz_server", "sql", "config.toml")

EXPAND = """\
-- Which version has moved a match last, and who has seen an answer.
-- kind: expand
-- locks: answers (access exclusive), matches (access exclusive), players (access exclusive)

ALTER TABLE pairquiz.matches ADD COLUMN moved_by text NOT NULL DEFAULT 'the version before';
ALTER TABLE pairquiz.answers ADD COLUMN seen_by text;
ALTER TABLE pairquiz.players ADD COLUMN mood text;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX matches_moved_by ON pairquiz.matches (moved_by);
"""
DATA = """\
-- Everybody who was there before is in a good mood.
-- kind: data

UPDATE pairquiz.players SET mood = 'good'
WHERE id IN (SELECT id FROM pairquiz.players WHERE mood IS NULL ORDER BY id LIMIT 50);
"""
CHANGES = {
    "pairquiz_server/__init__.py": ("__version__ = ", '__version__ = "next"  # '),
    "sql/queries/matches.sql": ("    SET version = c.version, ", "    SET version = c.version, moved_by = 'next', "),
}
"""What is new in the next version beside its migrations: it writes the new column with each move."""


def command(folder: Path) -> Sequence[str | Path]:
    """Return what runs the `pairquiz-server` of a folder."""
    env = shutil.which("env")
    assert env is not None
    # Without -P, the package in the working directory would come before it.
    return env, f"PYTHONPATH={folder}", sys.executable, "-P", "-m", "pairquiz_server.cli.main"


def of_commit(commit: str, folder: Path) -> Path:
    """Take a version out of the repository, and return its folder."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit, *WHAT_SERVES], cwd=TOP, capture_output=True, check=True)
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive.stdout, check=True)
    return folder


def next_version(folder: Path) -> Path:
    """Make a version that is newer than this checkout by two migrations and what it does with them."""
    folder.mkdir()
    for name in WHAT_SERVES:
        copy = shutil.copytree if (TOP / name).is_dir() else shutil.copy
        copy(TOP / name, folder / name)
    newest = read_migrations()[-1].number
    migrations = folder / "sql" / "migrations"
    for number, (name, sql) in enumerate({"next": EXPAND, "moods": DATA}.items(), newest + 1):
        (migrations / f"{number:04}_{name}.sql").write_text(sql)
    for path, (before, after) in CHANGES.items():
        text = (folder / path).read_text()
        assert before in text, f"{path} is another now: change tests/upgrades/versions.py"
        (folder / path).write_text(text.replace(before, after, 1))
    return folder
