"""What ends a command, and can be mended by whoever runs it."""


class Failure(Exception):
    """Something that a command cannot go on without; the message is one line that says what is wrong and what to do."""

    @property
    def told(self) -> str:
        """What a command says of it."""
        return str(self)
