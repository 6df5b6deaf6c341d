"""What ends a game at a server for good; each message is one line that says why and what to do."""

from collections.abc import Mapping
from typing import Any, Self

from pairquiz_server.failure import Failure


class ClientError(Failure):
    """The game cannot go on."""


class NoServer(ClientError):
    """Nobody answers there, or not as a server of ours would."""


class Lost(Exception):
    """A connection has ended; the line comes back by itself."""


class Refusal(ClientError):
    """A command, or a connection, that the server refuses: by the code of `rules.errors`, or one that is newer."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.code = str(error.get("code", ""))
        self.retry = error.get("retry") is True
        self.retry_in_ms = int(error.get("retry_in_ms", 0))
        self.available = error.get("available")
        super().__init__(str(error.get("message", "The server refuses, and does not say why")))

    @classmethod
    def found_in(cls, said: object) -> Self | None:
        """Read what a refused connection says: by CONNECT_ERROR, or as the body of an HTTP answer; None if neither."""
        if not isinstance(said, dict):
            return None
        if isinstance(said.get("data"), dict):
            return cls({**said["data"], "message": said.get("message", "")})
        return cls(said["error"]) if isinstance(said.get("error"), dict) else None
