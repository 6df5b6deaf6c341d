"""The settings of a game: what its matches have where nobody says otherwise."""

from msgspec import Struct

from pairquiz_server.rules.absence import Patience
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.scoring import Scoring


class GameRules(Struct, frozen=True, kw_only=True):
    """What a match has where its creator does not say, and how long it waits. `live_matches_max` of 0 is no limit.

    Where `record_runs` is false nobody's runs are replayed; a challenge holds for `challenge_ttl_ms`, 0 is for ever.
    """

    question_count: int
    time_limit_s: int
    scoring: Scoring
    waiting_ttl_ms: int
    ready_ttl_ms: int
    start_delay_ms: int = 3000
    reveal_lead_max_ms: int = 300
    round_pause_ms: int = 2000
    patience: Patience = Patience()
    live_matches_max: int = 0
    lag_allowance: LagAllowance = LagAllowance()
    record_runs: bool = True
    challenge_ttl_ms: int = 30 * 24 * 3600 * 1000
