"""What one connection hears of a match: each change once, and none left out. Pure."""

from collections.abc import Iterator

from pairquiz_server.loadtest.finding import Fault


class Versions:
    """The versions that were heard, since the connection began."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._missing: set[int] = set()
        self._never_told: set[int] = set()
        self._heard: set[tuple[str, int]] = set()
        self._twice: list[str] = []

    def hear(self, what: str, version: int) -> None:
        """Take in that something was told; the same thing of the same version is told once."""
        if (what, version) in self._heard:
            self._twice.append(f"{what} of version {version} was told twice")
        self._heard.add((what, version))
        self._missing.discard(version)
        if self._newest is not None:
            self._missing.update(range(self._newest + 1, version))
        self._newest = max(version, self._newest or 0)

    def whole(self, version: int) -> None:
        """Take in a state: whatever it is newer than is in it."""
        self._missing = {one for one in self._missing if one > version}
        self._newest = max(version, self._newest or 0)

    def forget(self) -> None:
        """Begin anew, on another connection: what was left out of the one before stays left out."""
        self._newest = None
        self._never_told |= self._missing
        self._missing.clear()
        self._heard.clear()

    def faults(self) -> Iterator[tuple[Fault, str]]:
        """Say what was told twice, and what was left out."""
        for text in self._twice:
            yield Fault.DOUBLED, text
        if missed := self._missing | self._never_told:
            yield Fault.MISSED, f"nothing was told of versions {sorted(missed)}"
