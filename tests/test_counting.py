"""What we count ourselves is shown as Prometheus' own library would show it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pairquiz_server.counting import Count, Counts, Distribution, Distributions, Level, Levels, Peak

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


def test_spans_since_then_are_what_each_would_be_alone() -> None:
    together, apart = CollectorRegistry(), CollectorRegistry()
    now, spans = 5000.0, [0.0, 0.5, 0.25, 2000.0, 2000.5, 0.0078125, 0.5]
    distribution = Distribution("size", "Sizes.", BOUNDS, together)
    distribution.observe_since([], now)
    for some in (spans[:3], spans[3:]):
        distribution.observe_since([now - span for span in some], now)
    one_by_one = Distribution("size", "Sizes.", BOUNDS, apart)
    for span in spans:
        one_by_one.observe(span)
    assert shown(together) == shown(apart)


def test_distributions_by_label_and_levels_are_those_of_prometheus_own_metrics() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    distributions = Distributions("size", "Sizes.", "label", BOUNDS, ours)
    level, levels = Level("now", "Now.", ours), Levels("some", "Some.", "label", ours)
    histogram = Histogram("size", "Sizes.", ["label"], buckets=BOUNDS, registry=theirs)
    gauge, gauges = Gauge("now", "Now.", registry=theirs), Gauge("some", "Some.", ["label"], registry=theirs)
    for label, amount in zip(LABELS * 2, AMOUNTS, strict=False):
        distributions.observe(label, amount)
        histogram.labels(label).observe(amount)
    level.read, levels.read = (lambda: 2.5), (lambda: {"one": 1, "two": 2.5})
    gauge.set(2.5)
    gauges.labels("one").set(1)
    gauges.labels("two").set(2.5)
    assert shown(ours) == shown(theirs)


def test_a_level_that_is_not_known_has_no_sample() -> None:
    registry = CollectorRegistry()
    level = Level("now", "Now.", registry)
    Levels("some", "Some.", "label", registry)
    assert shown(registry) == [f"# {line}" for line in ("HELP now Now.", "TYPE now gauge")] + [
        f"# {line}" for line in ("HELP some Some.", "TYPE some gauge")
    ]
    level.read = lambda: 0
    assert "now 0.0" in shown(registry)


def test_a_peak_lasts_for_one_span_at_least_and_for_two_at_most() -> None:
    clock = [0.0]
    peak = Peak(span_s=60, now=lambda: clock[0])
    seen = []
    for at, amount in ((10, 3.0), (20, 1.0), (70, 2.0), (119, 0.0), (120, 0.5), (179, 0.1), (181, 0.0), (400, 0.0)):
        clock[0] = at
        peak.note(amount)
        seen.append((at, peak.read()))
    assert seen == [(10, 3), (20, 3), (70, 3), (119, 3), (120, 2), (179, 2), (181, 0.5), (400, 0)]


def shown(registry: CollectorRegistry) -> list[str]:
    """Return what is exposed, without the series of when each began, which nobody asks for."""
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line]
