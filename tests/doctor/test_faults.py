"""Everything that can be found wrong is planted by a test, written down, and mended by what there is."""

import re
from pathlib import Path

import pytest

from pairquiz_server.config.sections import File
from pairquiz_server.config.sources import SECRET_MIN_BYTES
from pairquiz_server.doctor.faults import FAULTS
from pairquiz_server.doctor.finding import Fault
from tests.docs.blocks import TOP
from tests.docs.test_blocks import assert_exists
from tests.doctor.documented import filled, row

HERE = Path(__file__).parent
PAGE = TOP / "docs" / "troubleshooting.md"
PLATFORM_NAMES = {"DATABASE_URL", "JWT_SECRET", "REDIS_URL", "SSL_CERT_FILE"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_command_that_mends_is_one_that_there_is(fault: Fault) -> None:
    mend = filled(fault.mend)
    assert fault.mend
    for call in re.findall(r"pairquiz-server ([a-z][^#\n]*)", mend):
        words = re.findall(r"[^\s\"']+", call.partition("  ")[0])
        assert_exists(words, f"{fault.name}: {call}")
    for name in re.findall(r"PAIRQUIZ_([A-Z_]+)", mend):
        section, _, key = name.lower().partition("__")
        assert key in getattr(File(), section).__struct_fields__, f"{fault.name}: {name}"
    for name in re.findall(r"export ([A-Z_]+)=", mend):
        assert name in PLATFORM_NAMES or name.startswith("PAIRQUIZ_"), fault.name


def test_each_fault_is_written_down_as_it_is_told() -> None:
    rows = re.findall(r"^\| `.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(row(fault) for fault in FAULTS.values())


def test_each_fault_is_planted() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    planted = set(re.findall(r"\"([a-z]+(?:-[a-z]+)+)\"", tests))
    planted |= {f"ready-{name}" for name in re.findall(r"\"(database|migrations|durability|redis|draining)\"", tests)}
    assert FAULTS.keys() <= planted
    assert SECRET_MIN_BYTES == 32  # what `openssl rand -hex 32` is more than


def test_names_are_of_one_kind() -> None:
    for name, fault in FAULTS.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", name)
        assert "\n" not in fault.says + fault.mend
        assert not fault.says.endswith(".")
