"""Topics and questions in PostgreSQL: one method for each query of sql/queries/questions.sql, and the import."""

from array import array
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from pairquiz_server.rules.bank import Fate, Standing, Verdict, judge
from pairquiz_server.rules.commands import MatchQuestion, Topic
from pairquiz_server.rules.question import Difficulty, Question, text_digest, topic_key
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("questions")
_IMPORT_TIMEOUT_S = 120.0
IDS_MAX = 5000
"""So many of a topic's questions are known at a time, others the next time: the largest topic costs no more memory."""
KEPT_MAX = 10_000
"""So many questions' texts are kept in memory; a question has a few hundred bytes, and 3 KB at most."""


class TopicCount(Struct, frozen=True):
    """A topic, and how many questions it has."""

    name: str
    questions: int


class FoundTopic(Struct, frozen=True):
    """A topic as it is stored, with the ids of its active questions: all, or `IDS_MAX` by chance.

    `edits` are questions that were edited, with what they have become.
    """

    id: int
    name: str
    question_ids: Sequence[int]
    edits: Sequence[tuple[int, int]] = ()

    def topic(self) -> Topic:
        """Return the topic as the rules know it."""
        return Topic(self.id, self.name, len(self.question_ids))


class StoredQuestion(Struct, frozen=True):
    """A question as it is stored. It never changes, so one object serves all matches that draw it."""

    id: int
    text: str
    options: tuple[str, ...]
    correct: int
    lang: str | None
    explanation: str | None
    difficulty: Difficulty = Difficulty.MEDIUM

    def shown(self, order: Sequence[int]) -> MatchQuestion:
        """Return the question as a match shows it: at place i the stored option `order[i]`."""
        return MatchQuestion(
            id=self.id,
            text=self.text,
            options=tuple(map(self.options.__getitem__, order)),
            correct=order.index(self.correct),
            option_order=tuple(order),
            lang=self.lang,
            explanation=self.explanation,
            difficulty=self.difficulty,
        )


class _NewRow(Struct):
    """What the query `add` takes of each question."""

    key: str | None
    topic_id: int
    text: str
    text_digest: str
    options: tuple[str, ...]
    correct: int
    difficulty: Difficulty
    lang: str | None
    explanation: str | None
    source: str | None


class Questions:
    """The questions of one database. Every method raises `StorageUnavailable` where it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[int, StoredQuestion] = OrderedDict()

    async def find_topic(self, name: str) -> FoundTopic | None:
        """Return a topic by any spelling of its name."""
        found = await self._database.fetch(_QUERIES["find_topic"], topic_key(name), IDS_MAX)
        if not found:
            return None
        number, shown, ids, edits = found[0]
        return FoundTopic(number, shown, array("q", ids), tuple([(old, edited) for old, edited in edits]))

    def at_hand(self, ids: Collection[int]) -> Mapping[int, StoredQuestion] | None:
        """Return questions as `read` does, None where one has to be read."""
        kept = self._kept
        try:
            for number in ids:
                kept.move_to_end(number)
        except KeyError:
            return None
        return kept

    async def read(self, ids: Collection[int]) -> Mapping[int, StoredQuestion]:
        """Return questions by their ids, retired ones too. What was read before is in memory."""
        kept = self._kept
        found = {number: kept[number] for number in ids if number in kept}
        for number in found:
            kept.move_to_end(number)
        if missing := [number for number in ids if number not in found]:
            for record in await self._database.fetch(_QUERIES["read"], missing):
                found[record["id"]] = kept[record["id"]] = _stored(record)
            while len(kept) > KEPT_MAX:
                kept.popitem(last=False)
        return found

    async def list_topics(self) -> list[TopicCount]:
        """Return all topics that have questions, by name."""
        return [TopicCount(*record) for record in await self._database.fetch(_QUERIES["list_topics"])]

    async def export(self, topic: str | None = None) -> list[Question]:
        """Return all active questions with their keys, of one topic where it is named."""
        key = None if topic is None else topic_key(topic)
        return [
            _question(record)
            for record in await self._database.fetch(_QUERIES["export"], key, timeout_s=_IMPORT_TIMEOUT_S)
        ]

    async def add(
        self, questions: Sequence[Question], *, dry_run: bool = False, all_or_nothing: bool = False
    ) -> Sequence[Verdict]:
        """Add questions in one transaction, and return each one's fate in their order.

        A question with the key of a stored one is its edit: a new row, and the old one is drawn no more. One with
        the topic and text of another is unchanged where all else is equal, else a duplicate, and is not added; with
        `all_or_nothing` a duplicate keeps all others out too.
        """
        async with self._database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                verdicts = await _import(connection, questions)
            except BaseException:
                await transaction.rollback()
                raise
            spoilt = all_or_nothing and any(verdict.fate is Fate.DUPLICATE for verdict in verdicts)
            await (transaction.rollback() if dry_run or spoilt else transaction.commit())
            return verdicts


async def _import(connection: asyncpg.Connection, questions: Sequence[Question]) -> Sequence[Verdict]:
    await connection.execute(_QUERIES["lock_import"], timeout=_IMPORT_TIMEOUT_S)
    names = {topic_key(question.topic): question.topic for question in reversed(questions)}
    await connection.execute(_QUERIES["add_topics"], list(names), list(names.values()))
    topics = await connection.fetch(_QUERIES["topic_ids"], list(names))
    topic_ids: dict[str, int] = {record["key"]: record["id"] for record in topics}
    records = await connection.fetch(
        _QUERIES["find_active"],
        [topic_ids[topic_key(question.topic)] for question in questions],
        [text_digest(question.text) for question in questions],
        [UUID(question.key) for question in questions if question.key],
        timeout=_IMPORT_TIMEOUT_S,
    )
    judgement = judge(questions, (Standing(record["id"], _question(record)) for record in records))
    if judgement.retired:
        await connection.execute(_QUERIES["retire"], judgement.retired, timeout=_IMPORT_TIMEOUT_S)
    if judgement.additions:
        rows = [_new_row(topic_ids[topic_key(question.topic)], question) for question in judgement.additions]
        await connection.execute(_QUERIES["add"], msgspec.json.encode(rows).decode(), timeout=_IMPORT_TIMEOUT_S)
    return judgement.verdicts


def _new_row(topic_id: int, question: Question) -> _NewRow:
    return _NewRow(
        key=question.key,
        topic_id=topic_id,
        text=question.text,
        text_digest=text_digest(question.text).hex(),
        options=question.options,
        correct=question.correct,
        difficulty=question.difficulty,
        lang=question.lang,
        explanation=question.explanation,
        source=question.source,
    )


def _question(record: asyncpg.Record) -> Question:
    return Question(
        topic=record["topic"],
        text=record["text"],
        options=tuple(record["options"]),
        correct=record["correct"],
        difficulty=Difficulty(record["difficulty"]),
        lang=record["lang"],
        explanation=record["explanation"],
        source=record["source"],
        key=record["key"],
    )


def _stored(record: asyncpg.Record) -> StoredQuestion:
    return StoredQuestion(
        id=record["id"],
        text=record["text"],
        options=tuple(record["options"]),
        correct=record["correct"],
        lang=record["lang"],
        explanation=record["explanation"],
        difficulty=Difficulty(record["difficulty"]),
    )
