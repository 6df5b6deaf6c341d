"""Which setting of the server stands in the way of a load test, and how to raise it for one. Pure.

Limits are there against floods, and a load test is one: from few addresses, by players who never rest.
"""

from collections.abc import Iterable

_RAISE = "start the server for the test with {name}={value}"
_COMMANDS = (
    "limits.commands_per_s: a player sends more commands a second than one may; take more --pairs, or",
    "PAIRQUIZ_LIMITS__COMMANDS_PER_S",
)
_LIMITS = {
    "submit_answer:rate_limited": _COMMANDS,
    "join_pair_quiz:rate_limited": _COMMANDS,
    "start_quiz:rate_limited": _COMMANDS,
    "create_pair_quiz:rate_limited": (
        "limits.creations_per_minute_per_address (a player's own is creations_per_minute): all matches of the test are "
        "made from one address; take more --questions or a lower --rate, or",
        "PAIRQUIZ_LIMITS__CREATIONS_PER_MINUTE_PER_ADDRESS",
    ),
    "create_pair_quiz:too_many_sessions": (
        "limits.live_matches_per_user: matches do not end as fast as they begin; or",
        "PAIRQUIZ_LIMITS__LIVE_MATCHES_PER_USER",
    ),
    "connect:too_many_connections": (
        "limits.connections_per_address: all players of the test have one address; take fewer --pairs, or",
        "PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS",
    ),
    "connect:server_full": ("limits.connections: take fewer --pairs, or", "PAIRQUIZ_LIMITS__CONNECTIONS"),
    "connect:rate_limited": (
        "limits.arrivals_per_minute_per_address: too many connect within a minute; wait a minute, or",
        "PAIRQUIZ_LIMITS__ARRIVALS_PER_MINUTE_PER_ADDRESS",
    ),
}
_OTHERS = {
    "connect:unauthorized": "guests may not play there: run it with the server's JWT_SECRET in the environment, which "
    "signs tokens for players of its own",
    "connection_lost": "connections were lost while players played: see the server's log, and what stands before it",
    "storage_unavailable": "the database did not answer in time: see docs/reliability.md, and the server's log",
    "maintenance": "the server begins no matches: pairquiz-server maintenance off",
    "draining": "the server was stopping meanwhile",
    "internal": "the server failed: its log has a traceback",
}


def stops_the_test(trouble: str) -> bool:
    """Tell whether a trouble is that of a limit."""
    return trouble in _LIMITS


def advice(troubles: Iterable[str]) -> list[str]:
    """Say what to do about troubles, by their names: `command:code`, or what else there was."""
    told = [text for trouble in sorted(set(troubles)) if (text := _about(trouble)) is not None]
    return list(dict.fromkeys(told))


def _about(trouble: str) -> str | None:
    if trouble in _LIMITS:
        setting, name = _LIMITS[trouble]
        return f"{setting} {_RAISE.format(name=name, value=0)} (0 is no limit)"
    about = _OTHERS.get(trouble) or _OTHERS.get(trouble.partition(":")[2])
    return None if about is None else f"{trouble}: {about}"
