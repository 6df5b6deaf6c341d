"""How strong a player is: Glicko-2 (http://www.glicko.net/glicko/glicko2.pdf), whose steps the comments number.

Each match is a rating period of its own. So the paper's length of a period only says how fast a deviation grows while
nobody plays, and the periods since the last match may be a fraction.
"""

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

START_RATING = 1500.0
START_DEVIATION = 350.0
START_VOLATILITY = 0.06
DEVIATION_MIN = 45.0
"""Who plays all day is never so sure that nothing moves any more."""
RATING_MAX = 5000.0
PROVISIONAL_ABOVE = 110.0
"""With a larger deviation a rating is a guess: it is marked as provisional, and has no place in a list of the best."""
PERIOD_MS = 5 * 24 * 3600 * 1000
"""With the usual volatility, somebody who is as sure as one gets (a deviation of 45 to 60) is provisional after a year
or so without a match: 110² = 60² + t (0.06 · 173.7178)², t = 78 periods of five days."""
TAU = 0.5
"""How much volatility may change: the paper's own example, and the middle of what it finds sensible (0.3 to 1.2)."""
_SCALE = 173.7178
_CONVERGED = 1e-6
_ITERATIONS_MAX = 100


class Rating(Struct, frozen=True, gc=False):
    """A rating on the scale of Elo, how unsure it is (a standard deviation), and how erratic its player is."""

    rating: float = START_RATING
    deviation: float = START_DEVIATION
    volatility: float = START_VOLATILITY

    @property
    def shown(self) -> int:
        """The rating as players see it: whole points, and so who are equal in them are equal."""
        return round(self.rating)

    @property
    def provisional(self) -> bool:
        """Whether it is more of a guess."""
        return self.deviation > PROVISIONAL_ABOVE

    def aged(self, ms: int) -> "Rating":
        """Return what is left of it after `ms` without a match: as strong, and less sure (step 6)."""
        if ms <= 0:
            return self
        return Rating(self.rating, _grown(self.deviation, self.volatility, ms / PERIOD_MS), self.volatility)


class Result(Struct, frozen=True, gc=False):
    """What came of one match: 1 for a win, 0.5 for a draw, 0 for a loss. A `weight` of 0.5 counts as half a match."""

    opponent: Rating
    score: float
    weight: float = 1.0


def rate(player: Rating, results: Sequence[Result], periods: float = 1.0) -> Rating:
    """Return a player's rating after the results of one rating period, `periods` after the rating was made."""
    mu, phi = _natural(player)  # step 2
    precision = gain = 0.0
    for result in results:  # steps 3 and 4
        opponent_mu, opponent_phi = _natural(result.opponent)
        g = 1 / math.sqrt(1 + 3 * opponent_phi**2 / math.pi**2)
        expected = 1 / (1 + math.exp(-g * (mu - opponent_mu)))
        precision += result.weight * g * g * expected * (1 - expected)
        gain += result.weight * g * (result.score - expected)
    if precision == 0:
        return Rating(player.rating, _grown(player.deviation, player.volatility, periods), player.volatility)
    variance = 1 / precision
    volatility = _volatility(variance * gain, phi, variance, player.volatility)  # step 5
    waited = _grown(player.deviation, volatility, periods) / _SCALE  # step 6
    phi = 1 / math.sqrt(1 / waited**2 + precision)  # step 7
    mu += phi**2 * gain
    rating = START_RATING + _SCALE * mu  # step 8
    return Rating(min(max(rating, 0.0), RATING_MAX), max(_SCALE * phi, DEVIATION_MIN), volatility)


def _natural(rating: Rating) -> tuple[float, float]:
    return (rating.rating - START_RATING) / _SCALE, rating.deviation / _SCALE


def _grown(deviation: float, volatility: float, periods: float) -> float:
    return min(math.sqrt(deviation**2 + periods * (volatility * _SCALE) ** 2), START_DEVIATION)


def _volatility(delta: float, phi: float, variance: float, volatility: float) -> float:
    """Find the new volatility: the root of the paper's function, between two values that are moved closer (step 5)."""
    a = math.log(volatility**2)

    def f(x: float) -> float:
        e = math.exp(x)
        total = phi**2 + variance + e
        return e * (delta**2 - total) / (2 * total**2) - (x - a) / TAU**2

    low, high = a, _other_end(f, a, delta**2 - phi**2 - variance)
    f_low, f_high = f(low), f(high)
    for _ in range(_ITERATIONS_MAX):
        if abs(high - low) <= _CONVERGED:
            break
        middle = low + (low - high) * f_low / (f_high - f_low)
        f_middle = f(middle)
        if f_middle * f_high <= 0:
            low, f_low = high, f_high
        else:
            f_low /= 2
        high, f_high = middle, f_middle
    return math.exp(low / 2)


def _other_end(f: Callable[[float], float], a: float, surprise: float) -> float:
    """Return where the search for a volatility begins, at the other side of its root."""
    if surprise > 0:
        return math.log(surprise)
    k = 1
    while f(a - k * TAU) < 0:
        k += 1
    return a - k * TAU
