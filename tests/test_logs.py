"""What is logged, how, and what never is."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import structlog

from pairquiz_server import logs
from tests.client import Client, connected, started_match
from tests.conftest import StartServer

TOKEN = jwt.encode({"sub": "ada"}, "a secret of at least thirty-two bytes")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z")
LIBRARIES = ["socketio.server", "engineio.server"]

Configure = Callable[..., io.StringIO]


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Configure the logs as asked, and return the stream that they go to; afterwards all is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def to_stream(stream: io.StringIO | None = None, **options: Any) -> io.StringIO:
        stream = stream or io.StringIO()
        logs.configure(**{"level": "info", "style": "json", "stream": stream} | options)
        return stream

    yield to_stream
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET)


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    """The events of a JSON log: each line must be one."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_with_its_fields(configure: Configure) -> None:
    stream = configure()
    structlog.get_logger().info("match_created", session_id="x\ny", version=1, topic="Käse")
    logging.getLogger("asyncio").warning("a library\nsays %s", "so")
    ours, theirs = events(stream)
    assert ours.items() >= {"event": "match_created", "level": "info", "session_id": "x\ny", "version": 1}.items()
    assert ours["timestamp"].endswith("Z")
    assert theirs.items() >= {"event": "a library\nsays so", "level": "warning", "logger": "asyncio"}.items()


@pytest.mark.parametrize("logger", [structlog.get_logger(), logging.getLogger("asyncio")])
def test_an_exception_is_part_of_its_event(configure: Configure, logger: Any) -> None:
    stream = configure()
    try:
        raise ValueError("a\nfault")
    except ValueError:
        logger.exception("command_failed")
    (event,) = events(stream)
    assert event["event"] == "command_failed"
    assert "ValueError: a\nfault" in event["exception"]


FIELDS: dict[str, Any] = {
    "topic": 'K\u00e4se \u2028 "\\ \x1b[2J \n',
    "request": None,
    "raw": b"caf\xc3\xa9 \xff",
    "nested": {"list": [1, 2.5, True, ("a",)]},
    "thing": Ellipsis,
    "token": "KEPT",
}


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_line_is_what_structlogs_own_steps_make_of_it(configure: Configure, style: str) -> None:
    stream = configure(style=style)
    structlog.get_logger().info("match_created", **FIELDS)
    logs.inform([{**FIELDS, "event": "match_created"}])
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    steps = structlog.get_config()["processors"]
    renderer = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else next(step for step in steps if isinstance(step, structlog.dev.ConsoleRenderer))
    )
    for line in lines:
        event: Any = {**FIELDS, "event": "match_created"}
        for step in (
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.UnicodeDecoder(),
            *([steps[-3]] if style == "console" else []),
            renderer,
            steps[-1],
        ):
            event = step(None, "info", event)
        assert TIME.sub("", line) == TIME.sub("", event)
        assert len(TIME.findall(line)) == len(TIME.findall(event)) == 1


def test_events_of_a_batch_are_written_at_once_and_at_their_level(configure: Configure) -> None:
    writes: list[str] = []

    class Counted(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return super().write(text)

    stream = configure(Counted())
    logs.inform([{"event": "match_created", "session_id": str(number)} for number in range(3)])
    assert [event["session_id"] for event in events(stream)] == ["0", "1", "2"]
    assert len(writes) == 1
    configure(stream, level="warning")
    logs.inform([{"event": "match_created"}])
    assert len(writes) == 1


def test_a_console_shows_the_event_and_its_fields_for_people(configure: Configure) -> None:
    stream = configure(style="console")
    structlog.get_logger().info("match_created", topic="Cheese")
    (line,) = stream.getvalue().splitlines()
    assert "match_created" in line
    assert "topic=Cheese" in line


@pytest.mark.parametrize("text", ["x\nforged line", "x\rforged", "x\x1b[2Jforged", "x\x85forged", "x\u2028forged"])
def test_nobody_forges_a_line_on_a_console(configure: Configure, text: str) -> None:
    stream = configure(style="console")
    structlog.get_logger().info("refused", command=text)
    logging.getLogger("asyncio").error(text)
    assert len(stream.getvalue().splitlines()) == 2
    assert stream.getvalue().replace("\n", "").isprintable()


def test_a_traceback_on_a_console_shows_no_local_variable(configure: Configure) -> None:
    stream = configure(style="console")
    right_answer = "a local variable"
    try:
        raise ValueError("fault")
    except ValueError:
        structlog.get_logger().exception("command_failed", length=len(right_answer))
    assert "ValueError: fault" in stream.getvalue()
    assert stream.getvalue().count("a local variable") == 0
    assert "right_answer" not in stream.getvalue()


@pytest.mark.parametrize(
    ("style", "stream", "is_json"),
    [
        ("auto", io.StringIO, True),
        ("auto", Terminal, False),
        ("json", Terminal, True),
        ("console", io.StringIO, False),
    ],
)
def test_auto_is_console_on_a_terminal_else_json(
    configure: Configure, style: str, stream: type[io.StringIO], is_json: bool
) -> None:
    written = configure(stream(), style=style)
    structlog.get_logger().info("fact")
    assert written.getvalue().startswith("{") is is_json
    assert ("\x1b[" in written.getvalue()) is (stream is Terminal and not is_json)


def test_logs_go_to_standard_error_unless_told_otherwise(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    logs.configure(level="info", style="json")
    structlog.get_logger().info("fact")
    captured = capsys.readouterr()
    assert json.loads(captured.err)["event"] == "fact"
    assert captured.out == ""


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_a_level_is_the_least_that_is_heard(configure: Configure, level: str, heard: list[str]) -> None:
    stream = configure(level=level)
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), name)(name)
        getattr(logging.getLogger("asyncio"), name)(name)
    said = events(stream)
    assert [event["event"] for event in said if "logger" not in event] == heard
    # What libraries say at debug is never of use, and too much.
    assert [event["event"] for event in said if "logger" in event] == [name for name in heard if name != "debug"]


@pytest.mark.parametrize("level", ["debug", "info", "error"])
@pytest.mark.parametrize("on", LIBRARIES)
def test_a_library_is_switched_on_by_its_own_setting_at_any_level(configure: Configure, on: str, level: str) -> None:
    stream = configure(level=level, **{on.partition(".")[0]: True})
    for logger in logs.library_loggers():
        logger.info("a packet")
        logger.error("a client's fault")
    assert [(event["logger"], event["event"]) for event in events(stream)] == [
        (on, "a packet"),
        (on, "a client's fault"),
    ]


def test_a_fault_of_ours_that_a_silent_library_caught_is_logged(configure: Configure) -> None:
    stream = configure()
    for logger in logs.library_loggers():
        try:
            raise ValueError("fault")
        except ValueError:
            logger.exception("message handler error")
    assert [event["logger"] for event in events(stream)] == LIBRARIES
    assert all("ValueError: fault" in event["exception"] for event in events(stream))


@pytest.mark.parametrize(
    "said",
    [
        f'42["welcome",{{"guest_token":"{TOKEN}"}}]',
        f'40{{"token":"{TOKEN}"}}',
        '40{"token":"no JWT but KEPTSECRET"}',
        f"Authorization: Bearer {TOKEN}",
        "{'guest_token': 'KEPTSECRET'}",
        '430[{"ok":true,"correct_option":7777777,"points":100}]',
        '{"correct_option" : 7777777 , "your_answer":1}',
        "{'correct_option': 7777777}",
    ],
)
@pytest.mark.parametrize("style", ["json", "console"])
def test_tokens_and_answer_keys_are_hidden_wherever_they_stand(configure: Configure, style: str, said: str) -> None:
    stream = configure(style=style, engineio=True)
    logs.library_loggers()[1].info("sid: Sending packet MESSAGE data %s", said)
    structlog.get_logger().info("fact", packet=said, nested={"packet": [said]})
    try:
        raise ValueError(said)
    except ValueError:
        structlog.get_logger().exception("command_failed")
    for secret in (TOKEN, TOKEN.split(".")[1], "KEPTSECRET", "7777777"):
        assert secret not in stream.getvalue()
    if style == "json":
        assert len(events(stream)) == 3


def test_a_field_that_is_a_token_or_a_key_is_hidden_and_the_line_stays_json(configure: Configure) -> None:
    stream = configure()
    structlog.get_logger().info("fact", token="KEPT", correct_option=3, guest_token=TOKEN, points=3)
    (event,) = events(stream)
    assert (event["token"], event["correct_option"], event["points"]) == ("[hidden]", None, 3)
    assert TOKEN not in stream.getvalue()


async def play(first: Client, second: Client) -> dict[str, Any]:
    """Play a match to its end, and return its `quiz_started`."""
    started = await started_match(first, second, question_count=2)
    for question in started["questions"]:
        for player in (first, second):
            answer = {"session_id": started["session_id"], "question_id": question["id"], "answer": 0}
            await player.ask("submit_answer", answer)
    for player in (first, second):
        await player.event("quiz_results")
    return started


async def test_the_life_of_a_match_is_logged_at_info_and_commands_are_not(
    configure: Configure, start_server: StartServer
) -> None:
    server = await start_server()
    async with connected(server.url) as first, connected(server.url) as second:
        stream = configure()
        started = await play(first, second)
    said = events(stream)
    assert [event["event"] for event in said] == ["match_created", "match_joined", "match_started", "match_ended"]
    assert {event["session_id"] for event in said} == {started["session_id"]}
    assert [event["version"] for event in said] == sorted(event["version"] for event in said)
    assert len({event["request"] for event in said}) == 4


async def test_a_request_id_goes_along_the_whole_way_of_a_command_at_debug(
    configure: Configure, start_server: StartServer
) -> None:
    server = await start_server()
    async with connected(server.url) as client:
        stream = configure(level="debug")
        await client.ask("create_pair_quiz", {})
    said = events(stream)
    request = next(event["request"] for event in said if event["event"] == "command_received")
    assert [event["event"] for event in said if event.get("request") == request] == [
        "command_received",
        "command_settled",
        "match_created",
    ]


@pytest.mark.parametrize("style", ["json", "console"])
async def test_no_token_and_no_answer_key_is_in_the_loudest_log_of_a_match(
    configure: Configure, start_server: StartServer, style: str
) -> None:
    server = await start_server()
    stream = configure(level="debug", style=style, socketio=True, engineio=True)
    async with connected(server.url) as first, connected(server.url, token=TOKEN, welcome=False) as refused:
        await refused.event("connect_error")
        async with connected(server.url) as second, connected(server.url, token=second.token) as again:
            await play(first, second)
            tokens = [first.token, second.token, again.token]
    log = stream.getvalue()
    assert log.count("[hidden]") >= 2, "or this test proves nothing"
    for token in (*tokens, TOKEN):
        assert token not in log
        assert token.split(".")[2] not in log
    assert not re.search(r"correct_option\W+\d", log)


async def test_refusals_are_counted_and_sampled(configure: Configure, start_server: StartServer) -> None:
    server = await start_server()
    async with connected(server.url) as client:
        stream = configure()
        for _ in range(20):
            assert not (await client.ask("dance", {}))["ok"]
    (event,) = [event for event in events(stream) if event["event"] == "refused"]
    assert event.items() >= {"code": "unknown_command", "count": 1, "command": "dance", "level": "info"}.items()


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    stream = io.StringIO()
    logs.configure(level="info", style="json", stream=stream)
    stream.close()
    structlog.get_logger().info("match_created")
