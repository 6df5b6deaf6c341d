"""Whether the nodes of this database can hear of each other."""

from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import redis as faults
from pairquiz_server.doctor.finding import Fault, Finding, ok, skipped
from pairquiz_server.store.examination import Running
from pairquiz_server.web.elsewhere.examination import ECHO_S, NotUsable, RedisFacts, Trouble, examine, shown

CONNECT_S = 4.0
SLOW_MS = 50
_FAULTS: dict[Trouble, Fault] = {trouble: getattr(faults, f"REDIS_{trouble.name}") for trouble in Trouble}


async def look_at_redis(url: str | None, running: Running | None) -> Findings:
    """Yield what there is to say of the Redis at an address, which the servers that run on the database share."""
    if url is None:
        yield unset_found(running)
        return
    where = shown(url)
    channel = f"pairquiz:{running.channel}" if running and running.channel else None
    try:
        facts = await examine(url, channel, within_s=CONNECT_S)
    except NotUsable as reason:
        host = where.rpartition(":")[0] or where
        yield _FAULTS[reason.trouble].found("redis", place=where, host=host, reason=reason, seconds=f"{ECHO_S:g}")
        return
    yield _kind(facts, where)
    yield echo_found(facts.echo_ms, where)
    if running is not None and facts.listeners is not None:
        yield _listeners(facts.listeners, running.alive)


def unset_found(running: Running | None) -> Finding:
    """Judge that there is no Redis."""
    if running is not None and running.alive > 1:
        return faults.REDIS_UNSET.found("redis", nodes=running.alive)
    return skipped("redis", "REDIS_URL is not set: for one server none is needed")


def echo_found(echo_ms: float, where: str) -> Finding:
    """Judge how long a publication takes to come back."""
    if echo_ms > SLOW_MS:
        return faults.REDIS_SLOW.found("redis echo", ms=f"{echo_ms:.0f}", place=where)
    return ok("redis echo", f"a publication comes back after {echo_ms:.1f} ms")


def _kind(facts: RedisFacts, where: str) -> Finding:
    if facts.cluster:
        return faults.REDIS_CLUSTER.found("redis", place=where)
    if facts.primary is not None:
        return faults.REDIS_REPLICA.found("redis", place=where, primary=facts.primary)
    return ok("redis", f"version {facts.version} at {where}")


def _listeners(listeners: int, nodes: int) -> Finding:
    if listeners > max(nodes, 1):
        return faults.REDIS_STRANGERS.found("redis channel", listeners=listeners, nodes=nodes)
    return ok("redis channel", f"{listeners} listen, of {nodes} that run")
