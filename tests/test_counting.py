"""What we count ourselves is shown as Prometheus' own library would show it."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from pairquiz_server.counting import Count, Counts, Distribution

BOUNDS = (0.0, 0.01, 0.5, 2000)
AMOUNTS = (0, 0.01, 0.011, 0.5, 0.25, 2000, 2001)
LABELS = ("ok", "failed", 'quoted "\\', "ok")


def test_series_are_those_of_prometheus_own_metrics() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    count, counts = Count("one", "One.", ours), Counts("many", "Many.", "label", ours)
    Counts("none", "Nothing counted.", "label", ours)
    distribution = Distribution("size", "Sizes.", BOUNDS, ours)
    counter, family = Counter("one", "One.", registry=theirs), Counter("many", "Many.", ["label"], registry=theirs)
    Counter("none", "Nothing counted.", ["label"], registry=theirs)
    histogram = Histogram("size", "Sizes.", buckets=BOUNDS, registry=theirs)
    assert shown(ours) == shown(theirs), "before anything was counted"
    for label in LABELS:
        count.inc()
        counter.inc()
        counts.count(label)
        family.labels(label).inc()
    for amount in AMOUNTS:
        distribution.observe(amount)
        histogram.observe(amount)
    assert shown(ours) == shown(theirs)


def shown(registry: CollectorRegistry) -> list[str]:
    """Return what is exposed, without the series of when each began, which nobody asks for."""
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line]
