"""Each program that plays holds a seat; the next one takes the first that is free."""

import stat
from pathlib import Path

from pairquiz_server.client.kept import seat_at, state_folder

URL = "http://127.0.0.1:8000"


def test_two_beside_each_other_are_two_and_who_comes_later_is_the_first(tmp_path: Path) -> None:
    with seat_at(URL, tmp_path) as first, seat_at(URL, tmp_path) as second:
        first.keep(player="one")
        second.keep(player="two")
    with seat_at(URL, tmp_path) as again:
        assert again.tokens.player == "one"
        with seat_at(URL, tmp_path) as other:
            assert other.tokens.player == "two"


def test_each_server_has_seats_of_its_own(tmp_path: Path) -> None:
    with seat_at(URL, tmp_path) as seat:
        seat.keep(player="one")
    with seat_at("http://127.0.0.1:9000", tmp_path) as elsewhere:
        assert elsewhere.tokens.player is None


def test_a_token_is_for_its_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with seat_at(URL, folder) as seat:
        seat.keep(player="secret")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


def test_a_shorter_token_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    with seat_at(URL, tmp_path) as seat:
        seat.keep(player="x" * 500, bot="y")
        seat.keep(player="short", bot=None)
    with seat_at(URL, tmp_path) as seat:
        assert (seat.tokens.player, seat.tokens.bot) == ("short", None)


def test_a_file_that_is_torn_is_a_new_seat(tmp_path: Path) -> None:
    with seat_at(URL, tmp_path) as seat:
        seat.keep(player="one")
    for file in tmp_path.iterdir():
        file.write_bytes(b'{"player": "on\xff')
    with seat_at(URL, tmp_path) as seat:
        assert seat.tokens.player is None


def test_where_nothing_can_be_written_one_plays_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with seat_at(URL, tmp_path / "file" / "below") as seat:
        seat.keep(player="one")
        assert seat.tokens.player == "one"


def test_the_folder_is_where_the_system_wants_it() -> None:
    assert state_folder({"XDG_STATE_HOME": "/x", "HOME": "/home/me"}) == Path("/x/pairquiz-server")
    assert state_folder({"HOME": "/home/me"}) == Path("/home/me/.local/state/pairquiz-server")
