"""What signals do to `serve`: the first stops it in order, the second one at once.

Nothing is lost at once either: what was acknowledged is in the database, and the rest is not there in halves.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import structlog

from pairquiz_server.store import embedded

log = structlog.get_logger("pairquiz.signals")

STOPS = (signal.SIGTERM, signal.SIGINT)
STOPPED_S = 7.5
"""After the first signal, this process ends, whatever still hangs; who stops servers often kills after 10 seconds."""


def stop_on_signal() -> asyncio.Event:
    """Return what is set by the first SIGTERM or SIGINT; another one, or `STOPPED_S` later, ends the process at once.

    For use inside `signals_kept`, by the loop of the main thread.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_first() -> None:
        stop.set()
        for number in STOPS:
            loop.remove_signal_handler(number)
            # No handler of the loop: the loop may be what hangs, or be over while PostgreSQL is being stopped.
            signal.signal(number, _end_at_once)
        signal.signal(signal.SIGALRM, _end_late)
        signal.setitimer(signal.ITIMER_REAL, STOPPED_S)

    for number in STOPS:
        loop.add_signal_handler(number, on_first)
    return stop


@contextmanager
def signals_kept() -> Iterator[None]:
    """Put back afterwards what `stop_on_signal` changes."""
    before = {number: signal.getsignal(number) for number in (*STOPS, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    _end("server_stopped_at_once", 128 + number)


def _end_late(_number: int, _frame: FrameType | None) -> NoReturn:
    # All that a client can see of a stop is done by now, and so it has not failed.
    _end("server_stopped_late", 0)


def _end(event: str, exit_code: int) -> NoReturn:
    # Whatever the signal has interrupted, a line half written too, this comes to its end.
    with suppress(Exception):
        log.warning(event)
    with suppress(Exception):
        embedded.abandon_all()
    os._exit(exit_code)
