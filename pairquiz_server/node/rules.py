"""Settings → the rules of what plays by them."""

from pairquiz_server.config import Settings
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.rematch import RematchRules
from pairquiz_server.engine.retention import Keep
from pairquiz_server.rules.absence import Patience
from pairquiz_server.rules.fairness import Worth
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.scoring import Scoring


def game_rules(settings: Settings) -> GameRules:
    """Return what a match has where its creator does not say."""
    game = settings.game
    return GameRules(
        question_count=game.question_count,
        time_limit_s=game.time_limit_s,
        scoring=Scoring(game.points, game.speed_bonus),
        waiting_ttl_ms=game.waiting_ttl_s * 1000,
        ready_ttl_ms=game.ready_ttl_s * 1000,
        start_delay_ms=game.start_delay_ms,
        reveal_lead_max_ms=game.reveal_lead_max_ms,
        round_pause_ms=game.round_pause_ms,
        patience=Patience(
            lost_ms=game.reconnect_grace_s * 1000,
            closed_ms=game.closed_grace_s * 1000,
            budget_ms=game.absence_budget_s * 1000,
        ),
        live_matches_max=settings.limits.live_matches_per_user,
        lag_allowance=LagAllowance(game.lag_credit_max_ms, game.lag_bank_ms),
        record_runs=game.record_runs,
        challenge_ttl_ms=game.challenge_days * 24 * 3600 * 1000,
    )


def worth(settings: Settings) -> Worth:
    """Return how much of a match counts for ratings."""
    return Worth(guests=settings.game.rated_guests, ghosts=settings.game.ghost_rating_weight)


def rematch_rules(settings: Settings) -> RematchRules:
    """Return for how long a rematch may be asked for, and how it begins."""
    return RematchRules(
        hold_ms=settings.game.rematch_ttl_s * 1000,
        start_delay_ms=settings.game.start_delay_ms,
        ready_ttl_ms=settings.game.ready_ttl_s * 1000,
        live_matches_max=settings.limits.live_matches_per_user,
    )


def keep(settings: Settings) -> Keep:
    """Return for how long what is over is kept."""
    retention = settings.retention
    return Keep(
        finished_days=retention.finished_matches_days,
        unfinished_days=retention.unfinished_matches_days,
        usage_days=retention.usage_days,
        guests_days=retention.guests_days,
        audit_days=retention.audit_days,
    )
