"""What a player may be called."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.rules.names import NAME_MAX, name_fault
from pairquiz_server.rules.question import tidy

GOOD = {
    "latin": "Ada Lovelace",
    "one letter": "x",
    "a digit": "7",
    "decomposed": "Zoe\u0308",
    "vietnamese": "Nguyễn Thị Tuyết",
    "vietnamese, decomposed": unicodedata.normalize("NFD", "Nguyễn Thị Tuyết"),
    "arabic with vowels": "مُحَمَّد",
    "hebrew with points": "שָׁלוֹם",
    "hindi": "क्षितिज",
    "thai": "สมชาย น้ำผึ้ง",
    "tamil": "ஸ்ரீநிவாஸ்",
    "korean": "김민준",
    "korean, decomposed": unicodedata.normalize("NFD", "김민준"),
    "japanese": "さくら・ヶ",
    "emoji": "🦊",
    "emoji with a selector": "❤️ Ada",
    "emoji family": "👨‍👩‍👧‍👦",
    "emoji family of colours": "👨🏻‍❤️‍💋‍👨🏿",
    "emoji flag": "🇺🇦🇨🇭",
    "emoji flag of tags": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "emoji with a colour": "👍🏽",
    "emoji flag of wales": "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "emoji keycap": "7️⃣",
    "space around": "  Ada \n",
    "much space inside": "Ada   L",
    "apostrophes and signs": "O'Neil-Smith <3 & Co.",
    "forty": "é" * NAME_MAX,
    "forty families": "👨‍👩‍👧‍👦" * NAME_MAX,
}
BAD = {
    "nothing": "",
    "space": " \u3000\u00a0 ",
    "forty-one": "é" * (NAME_MAX + 1),
    "forty-one, decomposed": "e\u0301" * (NAME_MAX + 1),
    "endless": "x" * 100_000,
    "control": "a\x00b",
    "escape": "a\x1b[31m",
    "line break": "a\nb",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "next line": "a\u0085b",
    "right-to-left override": "Ada \u202elivE",
    "left-to-right embedding": "\u202aAda",
    "isolate": "\u2067Ada\u2069",
    "isolate that is never closed": "Ada\u2068",
    "right-to-left mark": "Ada\u200f",
    "arabic letter mark": "Ada\u061c",
    "zero-width space": "A\u200bda",
    "zero-width space alone": "\u200b",
    "zero-width joiner": "A\u200dda",
    "zero-width non-joiner": "A\u200cda",
    "word joiner": "A\u2060da",
    "byte order mark": "\ufeffAda",
    "soft hyphen": "A\u00adda",
    "grapheme joiner": "A\u034fda",
    "hangul filler": "\u3164",
    "halfwidth hangul filler": "Ada\uffa0",
    "braille blank": "\u2800",
    "variation selector": "A\ufe0fda",
    "joiner at an emoji's end": "🦊\u200d",
    "joiner between emoji and letter": "🦊\u200da",
    "tags without a flag": "a\U000e0067\U000e007f",
    "tags without an end": "🏴\U000e0067\U000e0062",
    "a message in the tags of a flag": "🏴\U000e0068\U000e0065\U000e006c\U000e006c\U000e006f\U000e007f",
    "two selectors": "🦊\ufe0f\ufe0f",
    "selectors without end": "❤" + "\ufe0f" * 20,
    "emoji chain without end": "\u200d".join("👨" * 20),
    "private use": "a\ue000",
    "unassigned": "a\u0378",
    "noncharacter": "a\uffff",
    "half a pair": "a\ud800",
    "accents in a pile": "Z" + "\u0300\u0317\u0308\u0323\u0301\u0340",
    "accents in a pile over a space": "a " + "\u0335" * 5,
    "accents parted by joiners": "Z" + "\u0317\u034f" * 6,
    "accents on an emoji": "🦊" + "\u0317" * 6,
    "an accent at the beginning": "\u0301Ada",
    "interlinear annotation": "\ufff9Ada",
    "musical control": "a\U0001d173",
}


@pytest.mark.parametrize("name", GOOD.values(), ids=GOOD)
def test_a_name_of_any_script_is_taken(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
def test_a_name_that_hides_something_is_refused(name: str) -> None:
    assert name_fault(name)


@given(st.text())
def test_a_name_that_was_taken_is_taken_again_as_it_is_kept(text: str) -> None:
    if name_fault(text) is None:
        name = tidy(text)
        assert name_fault(name) is None
        assert tidy(name) == name
        assert not {unicodedata.category(char) for char in name} & {"Cc", "Cs", "Co", "Zl", "Zp"}
