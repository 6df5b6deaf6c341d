"""The name that others see until a player chooses one."""

import re

import pytest

from pairquiz_server.rules.player import PlayerKind, default_display_name


@pytest.mark.parametrize(("kind", "word"), [(PlayerKind.GUEST, "Guest"), (PlayerKind.USER, "Player")])
@pytest.mark.parametrize("player_id", ["1", "guest:1f0c", "Zoë 🦊", "x" * 128])
def test_default_name_says_the_kind_and_four_readable_characters(player_id: str, kind: PlayerKind, word: str) -> None:
    name = default_display_name(player_id, kind)
    assert re.fullmatch(word + " [2-9A-HJKMNP-TV-Z]{4}", name)
    assert name == default_display_name(player_id, kind)


def test_default_name_stays_over_releases() -> None:
    assert default_display_name("guest:1f0c", PlayerKind.GUEST) == "Guest F3R8"


def test_default_names_differ() -> None:
    assert len({default_display_name(f"guest:{number}", PlayerKind.GUEST) for number in range(200)}) > 195


def test_default_name_tells_nothing_of_the_id() -> None:
    assert "1234" not in default_display_name("1234", PlayerKind.USER)
