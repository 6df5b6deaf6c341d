"""Which questions a match gets: drawn in memory from what the database had a moment ago."""

from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from itertools import permutations
from random import Random

from pairquiz_server.engine.recent import Recent
from pairquiz_server.engine.seen import Seen
from pairquiz_server.rules.commands import MatchQuestion, Topic
from pairquiz_server.rules.drawing import pick, rising
from pairquiz_server.rules.question import OPTION_COUNT, topic_key
from pairquiz_server.store.questions import FoundTopic, Questions, StoredQuestion

KEPT_S = 5.0
"""For so long a match may still get a question that was retired or edited meanwhile."""
ORDERS = tuple(permutations(range(OPTION_COUNT)))
_key = lru_cache(1024)(topic_key)


class Draws:
    """Topics and their questions, for the matches of one process. `random` must be one that nobody can foresee.

    What is at hand needs no look into the database; all else raises `StorageUnavailable` where that does not answer.
    """

    def __init__(self, questions: Questions, seen: Seen, random: Random) -> None:
        self._questions = questions
        self._seen = seen
        self._random = random
        # Only topics that there are, so nobody can fill it with names.
        self._topics: dict[str, Recent[FoundTopic | None]] = {}

    def topic_at_hand(self, name: str, count: int) -> Topic | None:
        """Return a topic as `topic` does, None where it has to be looked for."""
        found = self._at_hand(name, count)
        return None if found is None else found.topic()

    async def topic(self, name: str, count: int) -> Topic | None:
        """Return a topic by any spelling of its name, with how many questions a match may draw from it.

        One that was not there, or had less than `count` questions, is looked for anew: what was imported is found.
        """
        found = await self._find(name, count)
        return None if found is None else found.topic()

    def draw_at_hand(self, topic: str, count: int, players: Sequence[str]) -> tuple[MatchQuestion, ...] | None:
        """Draw as `draw` does, None where the database has to be asked."""
        found = self._at_hand(topic, count)
        seen = None if found is None else self._seen.at_hand(players)
        if found is None or seen is None:
            return None
        ids = self._pick(found, count, seen)
        stored = self._questions.at_hand(ids)
        return None if stored is None else self._shown(ids, stored)

    async def draw(self, topic: str, count: int, players: Sequence[str]) -> tuple[MatchQuestion, ...]:
        """Return different questions of a topic, in a rising difficulty; fewer where there are fewer.

        None that a player has seen lately, while there are others. Chance has the rest, and the order of the options.
        """
        found = await self._find(topic, count)
        if found is None:
            return ()
        seen = self._seen.at_hand(players)
        ids = self._pick(found, count, await self._seen.of(players) if seen is None else seen)
        return self._shown(ids, await self._questions.read(ids))

    def _at_hand(self, name: str, count: int) -> FoundTopic | None:
        recent = self._topics.get(_key(name))
        found = None if recent is None else recent.at_hand()
        return None if found is None or len(found.question_ids) < count else found

    async def _find(self, name: str, count: int) -> FoundTopic | None:
        key = _key(name)
        recent = self._topics.get(key)
        if recent is not None and (found := await recent.get()) is not None and len(found.question_ids) >= count:
            return found
        found = await self._questions.find_topic(name)
        if found is not None:
            recent = self._topics.setdefault(key, Recent(partial(self._questions.find_topic, name), KEPT_S))
            recent.keep(found)
        return found

    def _pick(self, found: FoundTopic, count: int, seen: dict[int, int]) -> list[int]:
        for old, edited in found.edits:
            if (at := seen.get(old)) is not None:
                seen[edited] = max(at, seen.get(edited, 0))
        return pick(found.question_ids, count, seen, self._numbers)

    def _shown(self, ids: Sequence[int], stored: Mapping[int, StoredQuestion]) -> tuple[MatchQuestion, ...]:
        drawn = rising([stored[number] for number in ids])
        return tuple(map(shuffled, drawn, self._numbers(len(drawn))))

    def _numbers(self, count: int) -> Sequence[int]:
        """Return numbers by chance: of 64 bits, so that what is left of a division is as likely as anything else.

        All come by one call: each asks the kernel.
        """
        return array("Q", self._random.randbytes(8 * count))


def shuffled(question: StoredQuestion, number: int) -> MatchQuestion:
    """Return a stored question with its options in one of their orders, which a number by chance says."""
    return question.shown(ORDERS[number % len(ORDERS)])
