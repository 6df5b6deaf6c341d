"""One match, from the first word to the last: what the player does, beside what the server tells."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pairquiz_server.client import bot as bots
from pairquiz_server.client.address import Invitation
from pairquiz_server.client.beside import beside, first_of
from pairquiz_server.client.bot import Bot, Level
from pairquiz_server.client.duel import Duel
from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.client.kept import KeptSeat
from pairquiz_server.client.opening import opened
from pairquiz_server.client.seat import Seat, live
from pairquiz_server.client.topics import topics
from pairquiz_server.nearest import nearest
from pairquiz_server.protocol.events import Session, Welcome
from pairquiz_server.rules.question import OPTION_COUNT
from pairquiz_server.terminal.face import Face
from pairquiz_server.terminal.hands import END, ENTER, Hands

DONE = -1
"""What is chosen where nothing more will be typed."""
_KEYS = {str(number): number - 1 for number in range(1, OPTION_COUNT + 1)}


class Order(Struct, frozen=True, kw_only=True):
    """What the player wants: to accept an invitation, to `find` somebody, or else to open a match with these wishes.

    `bot` takes the second seat of a match that is opened. `fresh` leaves whatever is not over. `asks` tells that
    somebody is there to say when the match may begin.
    """

    url: str
    wishes: Mapping[str, Any]
    invitation: Invitation | None = None
    find: bool = False
    bot: Level | None = None
    fresh: bool = False
    asks: bool = True


class Game:
    """Plays a match by a seat, a face and hands."""

    def __init__(self, order: Order, seat: Seat, kept: KeptSeat, face: Face, hands: Hands) -> None:
        self._order = order
        self._seat = seat
        self._kept = kept
        self._face = face
        self._hands = hands
        self._opened = False

    async def run(self, welcome: Welcome) -> bool:
        """Play to the end. Raises `ClientError`."""
        duel = await self._resumed(welcome.sessions) or await self._new()
        level = self._level_of_bot(duel)
        if level is None:
            await self._play()
        else:
            await self._play_with(Bot(level), duel.session_id)
        return True

    async def leave(self) -> None:
        """Give up whatever goes on."""
        duel = self._seat.duel
        if duel is None:
            await self._seat.give_up_search()
        elif not duel.over:
            await self._seat.leave()
            await self._seat.until(lambda now: now.over)

    async def _resumed(self, sessions: list[Session]) -> Duel | None:
        """Go on with a match that is not over, unless the order says otherwise."""
        invited = self._order.invitation
        session = live(sessions)
        while session is not None:
            elsewhere = invited is not None and invited.what != session.session_id
            if not (self._order.fresh or (elsewhere and session.status == "waiting")):
                self._opened = True
                self._face.says("Going on with the match that is not over (--fresh leaves it, and begins another).")
                return await self._seat.resume(session.session_id)
            await self._seat.leave_other(session)
            sessions = [one for one in sessions if one is not session]
            session = live(sessions)
        return None

    async def _new(self) -> Duel:
        invited = self._order.invitation
        if invited is not None and invited.how == "challenge_code":
            return await self._seat.accept(invited.what)
        if invited is not None:
            return await self._seat.join({invited.how: invited.what})
        self._opened = not self._order.find
        try:
            return await (self._seat.find if self._order.find else self._seat.create)(self._order.wishes)
        except Refusal as refusal:
            raise await self._with_a_topic(refusal) from None

    async def _with_a_topic(self, refusal: Refusal) -> ClientError:
        """Return the refusal of a topic with the one that was meant."""
        asked = self._order.wishes.get("topic")
        if refusal.code != "not_enough_questions" or refusal.available or asked is None:
            return refusal
        names = [topic.name for topic in await topics(self._order.url)]
        meant = nearest(asked, names)
        if meant is not None:
            return ClientError(f"there is no topic {asked!r} at {self._order.url}: did you mean {meant!r}?")
        return ClientError(f"there is no topic {asked!r} at {self._order.url}: it has {', '.join(names) or 'none'}")

    def _level_of_bot(self, duel: Duel) -> Level | None:
        """Return the level of the bot of a match: asked for, or at it already."""
        tokens = self._kept.tokens
        if tokens.bot_match == duel.session_id and tokens.bot_level in set(Level):
            return Level(tokens.bot_level)
        return self._order.bot if duel.status == "waiting" else None

    async def _play_with(self, bot: Bot, session_id: str) -> None:
        """Play, with a bot in the other seat."""
        self._kept.keep(bot_match=session_id, bot_level=bot.level)
        line, welcome = await opened(self._order.url, None, self._kept, "bot")
        try:
            seat = Seat(line)
            joined = any(session.session_id == session_id for session in welcome.sessions)
            await beside(self._play(), line.keep(), seat.listen(), bots.play(seat, bot, session_id, joined=joined))
        finally:
            await line.close()

    async def _play(self) -> None:
        seat, face = self._seat, self._face
        duel = await seat.until(lambda now: now.status != "waiting")
        if duel.status == "ready" and duel.starts_at is None:
            await self._begin()
        while question := await seat.next_question():
            assert seat.duel is not None  # it asks the question
            self._hands.forget()
            face.asks(question, seat.duel)
            option = await seat.while_open(question, self._choice())
            if option == DONE:
                await seat.complete()
                break
            if option is not None:
                await seat.answer(question, option)
        await seat.until(lambda now: now.over)

    async def _begin(self) -> None:
        """Start the match when the player says so, where there is somebody to say it; the other may, too."""
        if self._order.asks:
            await first_of(self._word_to_begin(), self._seat.until(lambda now: now.status != "ready"))
        elif self._opened:
            await self._seat.start()

    async def _word_to_begin(self) -> None:
        while await self._hands.typed() not in (ENTER, END):
            self._face.says("Press Enter to begin.")
        await self._seat.start()

    async def _choice(self) -> int:
        """Return the option that is typed, or `DONE`."""
        while (word := await self._hands.typed()) is not END:
            if word in _KEYS:
                return _KEYS[word]
            self._face.says(f"Type a number from 1 to {OPTION_COUNT}.")
        return DONE
