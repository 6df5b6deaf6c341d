"""Whether this machine has what the server needs: libraries, folders, files, a clock."""

import ctypes
import os
import resource
import shutil
from pathlib import Path

from pairquiz_server import __version__
from pairquiz_server.config import Settings
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import here as faults
from pairquiz_server.doctor.finding import Finding, ok, skipped
from pairquiz_server.web import seams

FREE_MB = 1024
OTHER_FILES = 64
"""What a server opens beside its connections: the database's, the log, libraries."""
_TIMEX_BYTES = 512
"""More than the kernel's `struct timex` has; zeros ask, and change nothing."""
_CLOCK_ERROR = 5


async def look_at_machine(settings: Settings) -> Findings:
    """Yield what there is to say of the machine."""
    yield _libraries()
    for finding in _data_dir(settings):
        yield finding
    yield page_found(settings.page, missing=settings.page_missing)
    yield open_files_found(resource.getrlimit(resource.RLIMIT_NOFILE)[0], settings.limits.connections)
    yield _clock()


def _libraries() -> Finding:
    try:
        seams.check()
    except seams.UnknownLibrary as error:
        return faults.LIBRARIES_UNKNOWN.found("libraries", reason=error)
    return ok("libraries", f"pairquiz-server {__version__}, with libraries that it knows")


def _data_dir(settings: Settings) -> list[Finding]:
    name, folder = "data folder", settings.data_dir
    if settings.database_url is not None:
        return [skipped(name, "the database is elsewhere")]
    existing = next(place for place in (folder, *folder.parents) if os.path.exists(place))  # noqa: PTH110 - no errors
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        reason = "it is no folder" if not existing.is_dir() else f"{existing} is not this user's"
        return [faults.DATA_DIR_UNWRITABLE.found(name, folder=folder, reason=reason)]
    return [ok(name, f"{folder} can be written"), disk_found(existing, shutil.disk_usage(existing).free >> 20)]


def disk_found(folder: Path, free_mb: int) -> Finding:
    """Judge how much of a disk is free."""
    if free_mb < FREE_MB:
        return faults.DISK_LOW.found("disk", folder=folder, free=free_mb)
    return ok("disk", f"{free_mb >> 10} GB free")


def open_files_found(may_open: int, connections: int) -> Finding:
    """Judge how many files a process may open, of which each connection is one; a limit of 0 is none."""
    needed = connections + OTHER_FILES
    if may_open != resource.RLIM_INFINITY and may_open < needed:
        return faults.OPEN_FILES_LOW.found("open files", have=may_open, wanted=connections, needed=needed)
    return ok("open files", "no limit" if may_open == resource.RLIM_INFINITY else f"{may_open} may be open")


def page_found(page: Path | None, *, missing: bool) -> Finding:
    """Judge which page is shown; `missing` is one that would be, if it were built."""
    if missing:
        return faults.PAGE_MISSING.found("page")
    return ok("page", f"{page} is shown" if page else "none is shown")


def _clock() -> Finding:
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        state = -1
    return clock_found(state)


def clock_found(state: int) -> Finding:
    """Judge what the kernel says of its clock (`adjtimex`)."""
    if state < 0:
        return skipped("clock", "this system does not tell")
    if state == _CLOCK_ERROR:
        return faults.CLOCK_UNSYNCHRONISED.found("clock")
    return ok("clock", "a time service keeps it")
