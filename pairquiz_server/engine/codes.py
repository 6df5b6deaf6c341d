"""Codes that people read to each other: made by chance, and read in any spelling."""

from random import Random

JOIN_CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread or misspoken (https://www.crockford.com/base32.html)."""
JOIN_CODE_LENGTH = 8
CHALLENGE_CODE_LENGTH = 12
"""60 bits: a challenge holds for weeks, and a join code for minutes."""
_BY_BYTE = (JOIN_CODE_ALPHABET * (256 // len(JOIN_CODE_ALPHABET))).encode()
"""The character of each byte, all as likely."""
_AS_STORED = str.maketrans("ILO", "110", "- ")


def new_code(random: Random, length: int) -> str:
    """Return a code by chance; `random` must be one that nobody can foresee."""
    return random.randbytes(length).translate(_BY_BYTE).decode()


def normal_code(code: str) -> str:
    """Return a code as it is stored: capitals, no hyphens or spaces, I and L as 1, O as 0 (Crockford)."""
    return code.upper().translate(_AS_STORED)
