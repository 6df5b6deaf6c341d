"""What is typed: keys of a terminal as they are pressed, lines of anything else as they are asked for."""

import asyncio
import os
import pty
import termios
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pairquiz_server.terminal import hands
from pairquiz_server.terminal.hands import END, ENTER


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The player's end of a terminal, and the program's."""
    player, program = pty.openpty()
    yield player, program
    for end in (player, program):
        with suppress(OSError):
            os.close(end)


async def test_a_key_is_heard_without_enter_and_leaves_the_terminal_as_it_was(terminal: tuple[int, int]) -> None:
    player, program = terminal
    before = termios.tcgetattr(program)
    with hands.keys(program) as keys:
        asking = asyncio.create_task(keys.typed())
        await asyncio.sleep(0)
        os.write(player, b"3")
        assert await asking == "3"
    assert termios.tcgetattr(program) == before


async def test_keys_that_were_pressed_before_a_question_answer_nothing(terminal: tuple[int, int]) -> None:
    player, program = terminal
    with hands.keys(program) as keys:
        os.write(player, b"11")
        keys.read()
        keys.forget()
        asking = asyncio.create_task(keys.typed())
        await asyncio.sleep(0)
        os.write(player, b"\r")
        assert await asking == ENTER


async def test_a_key_whose_code_has_a_digit_is_no_answer(terminal: tuple[int, int]) -> None:
    player, program = terminal
    with hands.keys(program) as keys:
        asking = asyncio.create_task(keys.typed())
        await asyncio.sleep(0)
        os.write(player, b"\x1b[1~")
        keys.read()
        os.write(player, b"2")
        assert await asking == "2"


async def test_the_end_of_a_terminal_is_the_end(terminal: tuple[int, int]) -> None:
    player, program = terminal
    with hands.keys(program) as keys:
        os.close(player)
        assert await keys.typed() is END
        assert await keys.typed() is END


async def test_lines_wait_until_they_are_asked_for_the_last_one_without_an_end_too() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"1\r\n\n 4 \n2")
    os.close(writing)
    with hands.lines(reading) as lines:
        assert [await lines.typed() for _ in range(6)] == ["1", ENTER, "4", "2", END, END]
    os.close(reading)


async def test_a_line_that_nobody_waited_for_long_enough_is_there_for_the_next_question() -> None:
    reading, writing = os.pipe()
    with hands.lines(reading) as lines:
        asking = asyncio.create_task(lines.typed())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        os.write(writing, b"3\n")
        os.close(writing)
        assert await lines.typed() == "3"
        assert await lines.typed() is END
    os.close(reading)
