"""Which answers came sooner than a person can read: noted for the operator, never sent, and never punished.

Adults read 238 English words a minute, most of them 175 to 300, and nobody reads 1,000 (M. Brysbaert, "How many words
do we read per minute?", Journal of Memory and Language 109, 2019). We allow those 1,000, of six characters with the
space: 10 ms a character, of the question alone and none of its options. Scripts that say more with a character are read
more slowly by the character.
"""

MS_A_CHARACTER = 10
MS_AN_ANSWER = 150
"""To choose and to press takes longer than to react to a flash, and that takes some 200 ms."""


def least_ms(text: str) -> int:
    """Return the time that nobody undercuts who reads this question and answers it.

    At free pace all questions lie open from the start. A player may read them all and then answer in one go, and a
    client that was offline sends its answers at once: so the sum over all that were answered so far is held against all
    the time so far.
    """
    return MS_AN_ANSWER + MS_A_CHARACTER * len(text)
