"""msgspec's validation errors as sentences that name the key."""

from msgspec import Struct, ValidationError


class Fault(Struct, frozen=True):
    """What is wrong with a value, and where: `path` is dotted (`server.port`), empty at the top."""

    path: str
    reason: str
    unknown_field: bool

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


def fault(error: ValidationError) -> Fault:
    """Read a `ValidationError`: its text is `Expected …, got … - at `$.path``, the last part where there is one."""
    text, _, where = str(error).partition(" - at `$")
    path = where.rstrip("`").lstrip(".")
    if "unknown field" in text or "missing required field" in text:
        field = text.split("`")[1]
        path = f"{path}.{field}" if path else field
        unknown = "unknown field" in text
        return Fault(path, "there is no such key" if unknown else "is missing", unknown)
    return Fault(path, text[0].lower() + text[1:], unknown_field=False)
