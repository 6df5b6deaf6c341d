"""`python -m tests.fuzz.parsers`: atheris looks, by coverage, for bytes on which a parser fails (`targets.py`)."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import atheris  # type: ignore[import-not-found]
except ImportError:
    sys.exit("atheris is missing: scripts/fuzz parsers installs it, where PyPI has it for this Python and machine")

with atheris.instrument_imports(include=["pairquiz_server", "tests.fuzz.targets"]):
    from tests.fuzz.targets import TARGETS

from tests.web.hostile import BAD, READABLE

LENGTH_MAX = 4096


def main() -> int:
    """Look at each parser in a process of its own, and return 0 only if nothing was found."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz parsers", description="Look for bytes on which a parser fails.")
    parser.add_argument("--seconds", type=int, default=60, help="how long each parser is looked at [60]")
    parser.add_argument("--only", choices=TARGETS, help="one parser")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        _look(arguments.only, arguments.seconds)
    names = [arguments.only] if arguments.only else list(TARGETS)
    again = (sys.executable, "-m", __spec__.name, "--here", "--seconds", str(arguments.seconds), "--only")
    found = [name for name in names if subprocess.run([*again, name], check=False).returncode != 0]
    print(f"found, see above: {', '.join(found)}" if found else "nothing was found")  # noqa: T201
    return 1 if found else 0


def _look(name: str, seconds: int) -> None:
    """Let libFuzzer call a parser; it ends the process itself, and not by 0 where it has found something."""
    folder = Path(tempfile.mkdtemp(prefix=f"pairquiz-atheris-{name}-"))
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, data in enumerate(_seeds(name)):
        (seeds / str(number)).write_bytes(data)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LENGTH_MAX}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([name, *options, str(seeds)], TARGETS[name])
    atheris.Fuzz()


def _seeds(name: str) -> list[bytes]:
    if name == "file":
        starter = Path(__file__).parents[2] / "pairquiz_server" / "starter" / "general.json"
        trivia = b"#Q What is it?\n^ Tea\nA Tea\nB Milk\nC Water\nD Wine\n"
        return [
            starter.read_bytes()[:LENGTH_MAX],
            trivia,
            b"topic,question,correct,wrong1,wrong2,wrong3\nA,B,c,d,e,f\n",
        ]
    frames = [frame for frame in (*BAD.values(), *READABLE.values()) if isinstance(frame, str)]
    start = 1 if name == "frame" else 2
    return [frame[start:].encode(errors="replace")[:LENGTH_MAX] for frame in frames]


if __name__ == "__main__":
    sys.exit(main())
