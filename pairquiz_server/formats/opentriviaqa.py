"""OpenTriviaQA: a text file a category, whose blocks look like this.

    #Q Which of these is a fish,
    and which are not?
    ^ Shark
    A Dolphin
    B Shark
    C Whale
    D Seal

The question may run over several lines; what follows the line `^` are options, each with its letter.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from pairquiz_server.formats.decoding import decode_lines
from pairquiz_server.formats.outcome import Parsed, Refusal, UnreadableFile
from pairquiz_server.formats.sieve import Draft, refuse, sift

FORMAT = "OpenTriviaQA"

_BLOCK_IN_FILE = re.compile(rb"(?:^|[\r\n])[ \t]*#Q(?:\s|$)")
_QUESTION = re.compile(r"#Q(?:\s|$)")
_ANSWER = re.compile(r"\^(?:\s|$)")
_OPTION = re.compile(r"[A-Z](?:\s|$)")


def is_open_trivia_qa(data: bytes) -> bool:
    """Tell whether a block begins anywhere in the file (its byte order mark removed)."""
    return _BLOCK_IN_FILE.search(data) is not None


def parse_open_trivia_qa(data: bytes, *, name: str, topic: str | None) -> Parsed:
    """Return the questions of a file; the topic is `topic`, else made of the file's `name`.

    Raises UnreadableFile where the name gives no topic.
    """
    topic = topic_of(name) if topic is None else topic
    if not topic:
        raise UnreadableFile("the file has no name to take the topic from: give the topic with --topic")
    return sift(FORMAT, (_entry(topic, line, block) for line, block in _blocks(decode_lines(data))))


def topic_of(name: str) -> str:
    """Return a file's name as a topic: "science-technology.txt" is "Science Technology"."""
    words = re.split(r"[\W_]+", PurePath(name).stem)
    return " ".join(word[0].upper() + word[1:] for word in words if word)


def _blocks(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each block's first line number and its lines with text on them, stripped.

    Text in front of the first block comes as a block of its own.
    """
    start, block = 1, list[str]()
    for number, line in enumerate(map(str.strip, lines), 1):
        if _QUESTION.match(line):
            if block:
                yield start, block
            block = []
        if not line:
            continue
        if not block:
            start = number
        block.append(line)
    if block:
        yield start, block


def _entry(topic: str, line: int, block: list[str]) -> Draft | Refusal:
    if not _QUESTION.match(block[0]):
        return refuse(line, "text in front of the first line #Q", block[0])
    answers = [index for index, part in enumerate(block) if _ANSWER.match(part)]
    text = " ".join(block[: answers[0]] if answers else block)[2:]
    if len(answers) != 1:
        how_many = "more than one" if answers else "no"
        return refuse(line, f"{how_many} line ^ with the right answer", text)
    options = block[answers[0] + 1 :]
    if not all(_OPTION.match(option) for option in options):
        return refuse(line, "a line among the options has no letter", text)
    return Draft(
        line=line,
        topic=topic,
        text=text,
        options=[option[1:] for option in options],
        correct=block[answers[0]][1:],
    )
