"""What a node knows of the others, and what it tells them: by publications alone."""

import pytest

from pairquiz_server.web.elsewhere import outbox as outbox_module
from pairquiz_server.web.elsewhere.others import SILENCE_S, Others
from pairquiz_server.web.elsewhere.outbox import Outbox
from pairquiz_server.web.elsewhere.publication import Publication, Unreadable, read, write


def said(
    number: int, *, node: str = "b", players: list[str] | None = None, came: str = "", went: str = ""
) -> Publication:
    return Publication(node, number, asks=False, players=players, came=came.split(), went=went.split(), told=[])


def known(*publications: Publication) -> Others:
    """What is known after these, which we and one other have heard."""
    others = Others()
    for one in publications:
        others.note(one, 0.0)
    others.hearers = 2
    return others


class TestOthers:
    def test_nothing_is_known_at_first_and_so_everybody_may_be_there(self) -> None:
        assert Others().may_have("anna")
        assert known(said(1)).may_have("anna"), "it has not said who is there"

    def test_who_was_named_is_there_until_it_went(self) -> None:
        assert known(said(1, players=["anna"])).may_have("anna")
        assert not known(said(1, players=["anna"])).may_have("ben")
        assert known(said(1, players=[]), said(2, came="ben")).may_have("ben")
        assert not known(said(1, players=["anna"]), said(2, went="anna")).may_have("anna")

    def test_one_more_hearer_than_is_known_may_have_anybody(self) -> None:
        others = known(said(1, players=[]))
        others.hearers = 3
        assert others.may_have("anna")

    def test_a_number_that_is_left_out_makes_all_doubtful_until_it_says_who_is_there(self) -> None:
        others = known(said(1, players=[]))
        assert not others.note(said(3, came="ben"), 0.0)
        assert not others.know("b")
        assert others.may_have("anna")
        assert others.note(said(4, players=["ben"]), 0.0)
        assert others.know("b")
        assert not others.may_have("anna")

    def test_one_that_is_silent_is_forgotten_and_that_is_told_once(self) -> None:
        others = known(said(1, players=["anna"]))
        assert not others.forget_silent(SILENCE_S)
        assert others.forget_silent(SILENCE_S + 1)
        assert not others.forget_silent(SILENCE_S + 1)
        assert not others.note(said(2), SILENCE_S + 2), "what it said meanwhile was missed"

    def test_what_is_lost_is_known_no_more(self) -> None:
        others = known(said(1, players=[]))
        others.lose()
        assert others.may_have("anna")
        assert not others.know("b")


class TestOutbox:
    @staticmethod
    def take(outbox: Outbox) -> Publication:
        return read(outbox.take(["anna", "ben"]))

    def test_it_says_hello_once_and_then_only_what_changes(self) -> None:
        outbox = Outbox("a")
        outbox.hello()
        assert self.take(outbox) == Publication("a", 1, asks=True, players=["anna", "ben"], came=[], went=[], told=[])
        outbox.move("cara", here=True)
        outbox.move("anna", here=True)
        outbox.move("anna", here=False)
        assert self.take(outbox) == Publication("a", 2, asks=False, players=None, came=["cara"], went=["anna"], told=[])
        assert self.take(outbox) == Publication("a", 3, asks=False, players=None, came=[], went=[], told=[])

    def test_it_is_empty_when_all_that_was_told_is_published(self) -> None:
        outbox = Outbox("a")
        outbox.tell("anna", "match", b"packet", version=3, live=True)
        (told,) = self.take(outbox).told
        assert (told.player_id, told.session_id, told.version, told.live, told.packet) == (
            "anna", "match", 3, True, "packet",
        )  # fmt: skip
        outbox.tell("anna", "match", b"packet", version=4, live=True)
        outbox.published()
        assert not outbox.empty.is_set()
        self.take(outbox)
        outbox.published()
        assert outbox.empty.is_set()

    @pytest.mark.parametrize("how", ["miss", "lose", "overflow"])
    def test_what_is_dropped_leaves_out_a_number(self, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
        outbox = Outbox("a")
        if how == "overflow":
            monkeypatch.setattr(outbox_module, "WAITING_MAX", 5)
        outbox.tell("anna", "match", b"packet", version=3, live=True)
        if how != "overflow":
            getattr(outbox, how)()
        publication = self.take(outbox)
        assert (publication.number, len(publication.told)) == (2, 1 if how == "miss" else 0)
        assert self.take(outbox).number == 3


@pytest.mark.parametrize(
    "noise", [b"", b"\xc1", b"hello", write(said(1))[:-1], b"\x97\xa1b\x01\xc2\xc0\x90\x90\x91\x90"]
)
def test_what_is_no_publication_is_unreadable(noise: bytes) -> None:
    with pytest.raises(Unreadable):
        read(noise)
