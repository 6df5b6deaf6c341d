"""The rules know no clock, no loop, no network and no database: an interpreter that has only them has none of those."""

import subprocess
import sys

IMPURE = {"asyncio", "asyncpg", "aiohttp", "socketio", "engineio", "structlog", "random", "secrets", "socket", "ssl"}
# `time` is not among them: the interpreter itself and msgspec import it. import-linter forbids it to the rules.

PROGRAM = """
import importlib, pkgutil, sys
import pairquiz_server.rules
for module in pkgutil.iter_modules(pairquiz_server.rules.__path__):
    importlib.import_module(f"pairquiz_server.rules.{module.name}")
print(*sys.modules, sep="\\n")
"""


def test_rules_import_nothing_impure() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "pairquiz_server.rules.match" in loaded
    assert loaded & IMPURE == set()
    assert {name for name in loaded if name.startswith("pairquiz_server.")} == {
        name for name in loaded if name.startswith("pairquiz_server.rules")
    }
