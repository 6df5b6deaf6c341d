"""Any bytes are read or refused, by every parser that strangers and operators reach."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.protocol.frames import decode_event
from tests.fuzz.frames import Corpus, documents, polite_events, wild_frames
from tests.fuzz.mutation import Mutator
from tests.fuzz.targets import TARGETS

KEYS = ("question", "text", "options", "correct_answer", "incorrect_answers", "correct", "topic", "type", "id")
LINES = st.text(max_size=20).map("#Q {}".format) | st.sampled_from(["^ x", "A x", "B y", "", "#Q", "^"])
CELLS = st.lists(st.text(max_size=9), max_size=7).map(",".join)
questions = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, documents)), max_size=4)
files = st.one_of(
    questions.map(json.dumps),
    st.fixed_dictionaries({"format": st.just("pairquiz-questions"), "questions": questions}).map(json.dumps),
    st.fixed_dictionaries({"results": documents | questions}).map(json.dumps),
    st.lists(LINES).map("\n".join),
    st.lists(CELLS, max_size=4).map(lambda rows: "\n".join(["question,correct,wrong1,wrong2,wrong3,topic", *rows])),
).map(str.encode)
anything = (
    st.binary()
    | files
    | (polite_events | wild_frames).map(lambda frame: frame[1:] if isinstance(frame, bytes) else frame[1:].encode())
    | st.builds(lambda choice, payload: bytes([choice]) + json.dumps(payload).encode(), st.integers(0, 255), documents)
)


@pytest.mark.parametrize("name", TARGETS)
@given(data=anything)
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    TARGETS[name](data)


@given(seed=st.integers(), polite=polite_events, wild=wild_frames)
def test_same_seed_makes_the_same_frames_and_polite_ones_stay_so(seed: int, polite: str, wild: str | bytes) -> None:
    corpus = Corpus([polite], [wild])
    one, other = Mutator(corpus, seed), Mutator(corpus, seed)
    assert [one.wild() for _ in range(20)] == [other.wild() for _ in range(20)]
    assert decode_event(one.polite()[1:].encode()).name == decode_event(polite[1:].encode()).name
