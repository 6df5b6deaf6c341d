"""How a player, or the bot beside one, comes in: as who they were before, where that is known."""

from functools import partial

from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.client.kept import KeptSeat
from pairquiz_server.client.line import Line
from pairquiz_server.protocol.events import Welcome


async def opened(url: str, token: str | None, kept: KeptSeat, who: str) -> tuple[Line, Welcome]:
    """Connect with a user's token, or as the guest that a seat keeps: its `player`, or its `bot`.

    A guest whose token does not hold any more comes in as a new one. Raises `NoServer`, `Refusal`, `ClientError`.
    """
    guest: str | None = getattr(kept.tokens, who)
    try:
        return await _connected(url, token or guest, kept, who)
    except Refusal as refusal:
        if refusal.code != "unauthorized":
            raise
        if token is not None:
            raise ClientError(f"{url} does not take this token: {refusal}") from None
    try:
        kept.keep(**{who: None})
        return await _connected(url, None, kept, who)
    except Refusal as refusal:
        if refusal.code != "unauthorized":
            raise
        raise ClientError(f"{url} takes no guests: give the token of a user with --token, or QUIZ_TOKEN") from None


async def _connected(url: str, token: str | None, kept: KeptSeat, who: str) -> tuple[Line, Welcome]:
    line = Line(url, token, partial(_keep, kept, who))
    return line, await line.open()


def _keep(kept: KeptSeat, who: str, token: str) -> None:
    kept.keep(**{who: token})
