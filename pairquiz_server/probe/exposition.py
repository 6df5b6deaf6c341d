"""What a monitor reads of probes: metrics for Prometheus, served or as a file for the node exporter."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server, write_to_textfile

from pairquiz_server.loadtest.finding import Fault
from pairquiz_server.probe.duel import Health, Probed


class Exposition:
    """The metrics of one probe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        """What is read."""
        self._up = self._gauge("up", "Whether the last duel was played to its end, and right: 1 or 0.")
        self._last = self._gauge("last_duel_timestamp_seconds", "When the last duel began.")
        self._certificate: Gauge | None = None
        self._phases = self._gauge("phase_seconds", "What the last duel took, by phase.", "phase")
        self._faults = self._gauge("faults", "Promises that were broken in the last duel, by kind.", "fault")
        self._duels = self._counter("duels", "Duels, by how they went.", "health")
        self._retries = self._counter("retries", "What had to be asked again.")
        for health in Health:
            self._duels.labels(health=str(health))
        for fault in Fault:
            self._faults.labels(fault=str(fault))

    def take(self, probed: Probed) -> None:
        """Take in how a duel went. A phase that it did not come to has no figure then."""
        self._up.set(probed.health is not Health.FAILED)
        self._last.set(probed.at)
        if probed.certificate_until is not None:
            self._certificate = self._certificate or self._gauge(
                "certificate_expiry_timestamp_seconds", "Until when the certificate holds."
            )
            self._certificate.set(probed.certificate_until)
        self._phases.clear()
        for phase, seconds in probed.phases.items():
            self._phases.labels(phase=phase).set(seconds)
        for fault in Fault:
            self._faults.labels(fault=str(fault)).set(probed.faults.get(str(fault), 0))
        self._duels.labels(health=str(probed.health)).inc()
        self._retries.inc(probed.retries)

    @contextmanager
    def served(self, host: str, port: int) -> Iterator[None]:
        """Serve it at `/metrics` meanwhile. Raises `OSError`."""
        server, thread = start_http_server(port, host, self.registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def write(self, path: Path) -> None:
        """Write it to a file, whole or not at all. Raises `OSError`."""
        write_to_textfile(str(path), self.registry)

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(f"pairquiz_probe_{name}", documentation, labels, registry=self.registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"pairquiz_probe_{name}", documentation, labels, registry=self.registry)
