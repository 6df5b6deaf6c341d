"""Counters and distributions that cost an addition: one thread counts, and Prometheus' library takes a lock each time.

Each is a collector that shows what it has counted, in the series that Prometheus' own would make.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Count(Collector):
    """How often something has happened."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._value = 0
        registry.register(self)

    def inc(self, times: int = 1) -> None:
        """Count so many more."""
        self._value += times

    def collect(self) -> Iterable[Metric]:
        """Yield the series."""
        yield CounterMetricFamily(self._name, self._documentation, value=self._value)


class Counts(Collector):
    """How often something has happened, by one label; a series begins with what is counted first of it."""

    def __init__(self, name: str, documentation: str, label: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._label = label
        self._values: dict[str, int] = {}
        registry.register(self)

    def count(self, value: str, times: int = 1) -> None:
        """Count so many more with this value of the label, which must be one of a closed set."""
        self._values[value] = self._values.get(value, 0) + times

    def collect(self) -> Iterable[Metric]:
        """Yield the series."""
        family = CounterMetricFamily(self._name, self._documentation, labels=(self._label,))
        for value, count in self._values.items():
            family.add_metric((value,), count)
        yield family


class Distribution(Collector):
    """How large something was: how many fell below each bound, and the sum of all."""

    def __init__(self, name: str, documentation: str, bounds: Sequence[float], registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, amount: float, times: int = 1) -> None:
        """Note so many more of this size."""
        self._counts[bisect_left(self._bounds, amount)] += times
        self._sum += amount * times

    def collect(self) -> Iterable[Metric]:
        """Yield the series."""
        bounds = [floatToGoString(bound) for bound in (*self._bounds, float("inf"))]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._documentation, buckets=buckets, sum_value=self._sum)
