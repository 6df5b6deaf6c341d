"""Ports of a test's own."""

import socket


class OwnPort:
    """A port of the loopback that nobody else gets until it is closed, also while nobody listens on it.

    It is taken, and never listened on: so whoever asks to share the address, as servers do, may listen on it, and the
    kernel gives it to no other process.
    """

    def __init__(self) -> None:
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._keeper.bind(("127.0.0.1", 0))
        self.number: int = self._keeper.getsockname()[1]

    def close(self) -> None:
        """Give it back."""
        self._keeper.close()
