"""Counters and distributions that cost an addition: one thread counts, and Prometheus' library takes a lock each time.

Each is a collector that shows what it has counted, in the series that Prometheus' own would make. Levels are what is
looked up when somebody asks.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Count(Collector):
    """How often something has happened."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._value: float = 0
        registry.register(self)

    def inc(self, times: float = 1) -> None:
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

    def begin(self, values: Iterable[str]) -> None:
        """Show these values from now on, though nothing was counted: what is not there yet has no rate."""
        self._values = dict.fromkeys(values, 0) | self._values

    def count(self, value: str, times: int = 1) -> None:
        """Count so many more with this value of the label, which must be one of a closed set."""
        self._values[value] = self._values.get(value, 0) + times

    @property
    def values(self) -> Mapping[str, int]:
        """How often, by the label."""
        return self._values

    def collect(self) -> Iterable[Metric]:
        """Yield the series."""
        family = CounterMetricFamily(self._name, self._documentation, labels=(self._label,))
        for value, count in self._values.items():
            family.add_metric((value,), count)
        yield family


class Sizes:
    """How many amounts fell below each bound, and the sum of all."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, amount: float, times: int = 1) -> None:
        """Note so many more of this size."""
        self._counts[bisect_left(self._bounds, amount)] += times
        self._sum += amount * times

    def observe_since(self, times: Iterable[float], now: float) -> None:
        """Note how long ago each of these times was; costs next to nothing for each of many."""
        latest_last = sorted(times)
        counts, count, later = self._counts, len(latest_last), 0
        self._sum += count * now - sum(latest_last)
        for place, bound in enumerate(self._bounds):
            if later == count:
                return
            within = count - bisect_left(latest_last, now - bound)
            counts[place] += within - later
            later = within
        counts[-1] += count - later

    @property
    def bounds(self) -> Sequence[float]:
        """The bounds that are finite."""
        return self._bounds

    @property
    def sum(self) -> float:
        """The sum of all amounts."""
        return self._sum

    def buckets(self) -> list[tuple[str, float]]:
        """Return how many amounts were at most as large as each bound, the last of which is infinite."""
        bounds = [floatToGoString(bound) for bound in (*self._bounds, float("inf"))]
        return list(zip(bounds, accumulate(self._counts), strict=True))


class Distribution(Sizes, Collector):
    """How large something was."""

    def __init__(self, name: str, documentation: str, bounds: Sequence[float], registry: CollectorRegistry) -> None:
        super().__init__(bounds)
        self._name = name
        self._documentation = documentation
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Yield the series."""
        yield HistogramMetricFamily(self._name, self._documentation, buckets=self.buckets(), sum_value=self.sum)


class Distributions(Collector):
    """How large something was, by one label; its series begin with what is observed first of it."""

    def __init__(
        self, name: str, documentation: str, label: str, bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._label = label
        self._bounds = bounds
        self._sizes: dict[str, Sizes] = {}
        registry.register(self)

    def observe(self, value: str, amount: float) -> None:
        """Note one more of this size with this value of the label, which must be one of a closed set."""
        sizes = self._sizes.get(value)
        if sizes is None:
            sizes = self._sizes[value] = Sizes(self._bounds)
        sizes.observe(amount)

    def collect(self) -> Iterable[Metric]:
        """Yield the series."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=(self._label,))
        for value, sizes in self._sizes.items():
            family.add_metric((value,), sizes.buckets(), sizes.sum)
        yield family


class Level(Collector):
    """How much there is of something now. `read` is set by whoever knows; None is not known, and is not shown."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self.read: Callable[[], float | None] = lambda: None
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Yield the series."""
        yield GaugeMetricFamily(self._name, self._documentation, value=self.read())


class Levels(Collector):
    """How much there is of something now, by one label, whose values are those of a closed set that `read` returns."""

    def __init__(self, name: str, documentation: str, label: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._label = label
        self.read: Callable[[], Mapping[str, float]] = dict
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Yield the series."""
        family = GaugeMetricFamily(self._name, self._documentation, labels=(self._label,))
        for value, level in self.read().items():
            family.add_metric((value,), level)
        yield family


class Peak:
    """The largest amount of the last minute, or of up to two: whoever asks takes it from nobody else."""

    def __init__(self, *, span_s: float = 60.0, now: Callable[[], float] = time.monotonic) -> None:
        self._span_s = span_s
        self._now = now
        self._began = now()
        self._before = self._largest = 0.0

    def note(self, amount: float) -> None:
        """Note an amount."""
        self._turn()
        self._largest = max(self._largest, amount)

    def read(self) -> float:
        """Return the largest; 0 where nothing was noted."""
        self._turn()
        return max(self._before, self._largest)

    def _turn(self) -> None:
        spans = int((self._now() - self._began) / self._span_s)
        if spans:
            self._before = self._largest if spans == 1 else 0.0
            self._largest = 0.0
            self._began += spans * self._span_s
