"""Starts a process that plays."""

import uvloop

from pairquiz_server.loadtest.worker import work

uvloop.run(work())
