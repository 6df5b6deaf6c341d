"""The generated files of the repository: which there are, and what has to be in them."""

import json
from pathlib import Path

from pairquiz_server.contract.reference import filled
from pairquiz_server.contract.surface import Surface, surface
from pairquiz_server.contract.typescript import typescript
from pairquiz_server.protocol.versions import PROTOCOL_VERSION

_PUBLISHED = "docs/contract"


def documents(top: Path) -> dict[Path, str]:
    """Return the text of each generated file of the repository at `top`."""
    protocol = top / "docs" / "protocol.md"
    return {
        top / "frontend" / "client" / "src" / "contract.ts": typescript(),
        protocol: filled(protocol.read_text(encoding="utf-8")),
    }


def published(top: Path) -> Surface:
    """Return the contract as it was published last: that of the newest version that there is."""
    newest = max((top / _PUBLISHED).glob("v*.json"), key=lambda path: int(path.stem[1:]))
    found: Surface = json.loads(newest.read_text(encoding="utf-8"))
    return found


def publication(top: Path) -> tuple[Path, str]:
    """Return where the contract of now is kept once it is published, and as what."""
    return top / _PUBLISHED / f"v{PROTOCOL_VERSION}.json", json.dumps(surface(), indent=1) + "\n"
