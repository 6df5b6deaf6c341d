"""The names that players show to each other: text that reads the same for everybody, and hides nothing.

A name is shown as text, in whatever place a frontend has for it. So it may not carry what changes the text around it
(bidirectional overrides, line breaks, accents in piles), nor what nobody sees (a name of nothing, or two names that
look alike). Letters of every script and emoji are names.
"""

import regex

from pairquiz_server.rules.question import tidy

NAME_MAX = 40
"""Graphemes (UAX 29): what a reader takes for one character."""
MARKS_MAX = 4
"""Accents and vowel signs on one letter; living scripts need three at most, after NFC."""
_TEXT_MAX = 1000
"""What is longer is no name, whatever is around it: it is refused before any work is done on it."""
_GRAPHEME_MAX = 16
"""Code points of one grapheme: the longest emoji (a family, each with a colour of skin) has eleven."""

_GRAPHEME = regex.compile(r"\X")
_EMOJI = regex.compile(
    r"""(?:
        \p{Extended_Pictographic} \p{Emoji_Modifier}? \N{VARIATION SELECTOR-16}?
        (?: \N{ZERO WIDTH JOINER} \p{Extended_Pictographic} \p{Emoji_Modifier}? \N{VARIATION SELECTOR-16}? )*
        # The flags of England, Scotland and Wales: other tags are shown by nobody, and could say anything.
      | \N{WAVING BLACK FLAG} \U000E0067\U000E0062
        (?: \U000E0065\U000E006E\U000E0067 | \U000E0073\U000E0063\U000E0074 | \U000E0077\U000E006C\U000E0073 )
        \N{CANCEL TAG}
      | [0-9\#*] \N{VARIATION SELECTOR-16}? \N{COMBINING ENCLOSING KEYCAP}
    )""",
    regex.VERBOSE,
)
_CONTROL = regex.compile(r"[\p{Cc}\p{Zl}\p{Zp}]")
_UNWRITABLE = regex.compile(r"[\p{Cs}\p{Co}\p{Cn}]")
_UNSEEN = regex.compile(r"[\p{Cf}\p{Default_Ignorable_Code_Point}\N{BRAILLE PATTERN BLANK}]")
_MARK = regex.compile(r"\p{M}")
_PILE = regex.compile(rf"\p{{M}}{{{MARKS_MAX + 1}}}")


def name_fault(text: str) -> str | None:
    """Say what is wrong with a name as somebody has typed it, or None where it is good."""
    if len(text) > _TEXT_MAX:
        return f"a name has 1 to {NAME_MAX} characters"
    if _CONTROL.search(text.strip()):
        return "a name has no control characters or line breaks"
    if _UNWRITABLE.search(text):
        return "a name has no private or unassigned characters"
    name = tidy(text)
    graphemes = _GRAPHEME.findall(name)
    if not 1 <= len(graphemes) <= NAME_MAX:
        return f"a name has 1 to {NAME_MAX} characters"
    if _MARK.match(name):
        return "a name begins with no accent"
    if any(len(grapheme) > _GRAPHEME_MAX for grapheme in graphemes):
        return "a character of the name is put together of too many"
    # Not grapheme by grapheme: a joiner between two accents does not part them, because none is left here.
    plain = "".join("x" if _EMOJI.fullmatch(grapheme) else grapheme for grapheme in graphemes)
    if _UNSEEN.search(plain):
        return "a name has no invisible characters, and none that turn the direction of the text"
    if _PILE.search(plain):
        return f"a letter has at most {MARKS_MAX} accents"
    return None
