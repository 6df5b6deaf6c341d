"""What a changed contract needs before it may land: a line in the changelog, and maybe another version."""

import re
from collections.abc import Iterator

from pairquiz_server.contract.changes import changes
from pairquiz_server.contract.surface import Surface

_UNRELEASED = re.compile(r"^## Unreleased\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def complaints(published: Surface, now: Surface, changelog: str) -> Iterator[str]:
    """Say what is missing, in lines that say what to do; nothing where all is told.

    `published` is the contract as it was published last, `changelog` the whole text of CHANGELOG.md.
    """
    found = _UNRELEASED.search(changelog)
    told = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", found[1])))) if found else set()
    raised = now["protocol"] > published["protocol"]
    for change in changes(published, now):
        if change.breaking and not raised:
            yield (
                f"{change}: clients of version {published['protocol']} break by that. Keep what they know beside it, "
                "or raise PROTOCOL_VERSION (pairquiz_server/protocol/versions.py)"
            )
        if change.name not in told:
            yield f"{change}: name `{change.name}` in a line under Unreleased in CHANGELOG.md"
