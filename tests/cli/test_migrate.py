"""`migrate`, and where it stands."""

import asyncio
import json

from pairquiz_server.store.migrations import read_migrations
from tests.cli.conftest import Invoke
from tests.conftest import execute


def test_an_operator_migrates_an_empty_database_and_sees_it(invoke: Invoke, empty_database_url: str) -> None:
    names = [f"{one.number:04} {one.name}" for one in read_migrations()]

    before = invoke("migrate", "status", DATABASE_URL=empty_database_url)
    assert before.exit_code == 0
    assert all(line.endswith("pending") for line in before.stdout.splitlines())
    assert len(before.stdout.splitlines()) == len(names)

    applied = invoke("migrate", DATABASE_URL=empty_database_url)
    assert applied.stdout.splitlines() == [f"applied {name}" for name in names]
    assert invoke("migrate", DATABASE_URL=empty_database_url).stdout == "nothing to do: the schema is the newest\n"

    after = invoke("migrate", "status", DATABASE_URL=empty_database_url)
    assert [line[: len(name)] for line, name in zip(after.stdout.splitlines(), names, strict=True)] == names
    assert "pending" not in after.stdout


def test_a_look_at_the_status_changes_nothing(invoke: Invoke, empty_database_url: str) -> None:
    first, second = (invoke("migrate", "status", DATABASE_URL=empty_database_url).stdout for _ in range(2))
    assert first == second


def test_a_machine_reads_what_was_applied_and_what_stands(invoke: Invoke, empty_database_url: str) -> None:
    numbers = [one.number for one in read_migrations()]
    environ = {"DATABASE_URL": empty_database_url}
    assert [one["applied_at"] for one in json.loads(invoke("migrate", "status", "--json", **environ).stdout)] == [
        None for _ in numbers
    ]
    assert [one["number"] for one in json.loads(invoke("migrate", "--json", **environ).stdout)] == numbers
    assert json.loads(invoke("migrate", "--json", **environ).stdout) == []
    assert all(one["applied_at"] for one in json.loads(invoke("migrate", "status", "--json", **environ).stdout))


def test_an_operator_sees_beforehand_what_would_be_done(invoke: Invoke, empty_database_url: str) -> None:
    environ = {"DATABASE_URL": empty_database_url}
    known = read_migrations()
    told = invoke("migrate", "plan", **environ)
    assert told.exit_code == 0
    assert [line[:4] for line in told.stdout.splitlines() if line[0] != " "] == [f"{one.number:04}" for one in known]
    assert told.stdout.count("  servers that know ") == len(known)
    planned = json.loads(invoke("migrate", "plan", "--json", **environ).stdout)
    assert [(one["number"], one["purpose"]) for one in planned] == [(one.number, one.purpose) for one in known]
    assert "pending" in invoke("migrate", "status", **environ).stdout

    invoke("migrate", **environ)
    assert invoke("migrate", "plan", **environ).stdout == "nothing to do: the schema is the newest\n"
    assert json.loads(invoke("migrate", "plan", "--json", **environ).stdout) == []


def test_an_operator_sees_what_a_newer_version_has_done(invoke: Invoke, database_url: str) -> None:
    newer = "INSERT INTO pairquiz.schema_migrations VALUES (9000, 'later', 'x')"
    changed = "UPDATE pairquiz.schema_migrations SET checksum = 'x' WHERE number = 1"
    asyncio.run(execute(database_url, f"{newer}; {changed}"))
    told = invoke("migrate", "status", DATABASE_URL=database_url).stdout.splitlines()
    assert told[0].startswith("0001 matches")
    assert told[0].endswith("  changed since")
    assert told[-1].startswith("9000 later")
    assert told[-1].endswith("  of a newer version")
