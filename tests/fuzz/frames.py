"""Frames as Hypothesis makes them: a corpus that is new at each run, and the same for the same seed.

`polite` are commands that can be read, whatever is in them: they never close a connection. `wild` are any frames.
"""

import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from msgspec import Struct

from pairquiz_server.protocol.commands import COMMANDS
from tests.web.hostile import BAD, FORGED, HUGE, READABLE, RESERVED

Frame = str | bytes

SESSION = "01234567-89ab-4cde-8f01-23456789abcd"
"""What stands for a match's id, until the id of one that is being played is put in its place."""
KEYS = sorted({key for row in COMMANDS.values() for key in row.payload.__struct_fields__})


class Corpus(Struct, frozen=True):
    """What a run begins with."""

    polite: list[str]
    wild: list[Frame]


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 400)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from([SESSION, "General", "free", "speed_bonus", "", " ", "\x00", "‮", "x" * 5000])
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=5),
    max_leaves=12,
)
payloads = st.dictionaries(st.sampled_from(KEYS), scalars, max_size=6) | documents
# One in six may ask the database: more would tell of the database, and less of the frames.
names = st.sampled_from(
    [*COMMANDS, *(["sync_clock", "submit_answer", "nothing such"] * len(COMMANDS)), *RESERVED, *FORGED]
) | st.text(max_size=40)
acks = st.just("") | st.integers(0, 10**15 - 1).map(str)


def _event(ack: str, name: str, arguments: list[Any]) -> str:
    return f"42{ack}{json.dumps([name, *arguments])}"


polite_events = st.builds(_event, acks, names, st.lists(payloads, max_size=2))
packets = st.builds(
    lambda kind, namespace, ack, body: f"4{kind}{namespace}{ack}{body}",
    st.sampled_from("0123456789"),
    st.sampled_from(["", "/,", "/admin,", "/admin", "/?x=1,", "9-", "1-/admin,"]),
    st.sampled_from(["", "0", "7", "9" * 40, "-1", "1e9"]),
    documents.map(json.dumps) | st.text(max_size=40) | st.sampled_from(HUGE),
)
engine_frames = st.builds(lambda kind, body: f"{kind}{body}", st.sampled_from("0123456789b"), st.text(max_size=20))
wild_frames = (
    packets
    | engine_frames
    | polite_events
    | st.text(max_size=40)
    | st.binary(max_size=40)
    | st.sampled_from([*BAD.values(), *READABLE.values(), "2probe", "5", "1", "41"])
)


def draw_corpus(chosen_seed: int, *, polite: int, wild: int) -> Corpus:
    """Let Hypothesis make frames."""
    return Corpus(_drawn(polite_events, chosen_seed, polite), _drawn(wild_frames, chosen_seed, wild))


def _drawn(strategy: Any, chosen_seed: int, count: int) -> list[Any]:
    found: list[Any] = []

    @seed(chosen_seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(frame: Any) -> None:
        found.append(frame)

    collect()
    return found
