"""When scripts/page builds and when it does not, what it leaves and what it says.

Node and npm are played by two lines of shell here; tests/browser plays on what the real ones build.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
PATIENCE_S = 60
# What they were asked is one line each in `asked`. A file `broken` makes a command of its name fail.
NODE = """#!/bin/sh
echo v20.1.0
"""
NPM = """#!/bin/sh
echo "$1" >>../asked
if [ -e "../broken-$1" ]; then echo "ECONNREFUSED and much else" >&2; exit 1; fi
case $1 in
    ci) rm -rf node_modules; mkdir node_modules ;;
    run) mkdir "$5"; cat src/page.ts >"$5/index.html" ;;
esac
"""


class Checkout:
    """A checkout with a page in it, and its own Node."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "scripts").mkdir(parents=True)
        shutil.copy(TOP / "scripts" / "page", folder / "scripts")
        self.write("frontend/package.json", "{}")
        self.write("frontend/package-lock.json", "{}")
        self.write("frontend/src/page.ts", "one")
        self.program("node", NODE)
        self.program("npm", NPM)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def program(self, name: str, text: str) -> None:
        self.write(f"bin/{name}", text).chmod(0o755)

    def start(self) -> subprocess.Popen[str]:
        environ = os.environ | {"PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.Popen(
            [self.folder / "scripts" / "page"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def build(self) -> tuple[int, str]:
        """Run it, and return its exit code and what it said."""
        process = self.start()
        said, complained = process.communicate(timeout=PATIENCE_S)
        assert said == ""
        return process.returncode, complained

    @property
    def page(self) -> str:
        return (self.folder / "frontend" / "dist" / "index.html").read_text()

    def asked(self) -> list[str]:
        """What npm was asked since the last time."""
        file = self.folder / "asked"
        words = file.read_text().split() if file.exists() else []
        file.unlink(missing_ok=True)
        return words


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a folder")


def test_the_page_is_built_once(checkout: Checkout) -> None:
    code, said = checkout.build()
    assert (code, checkout.page) == (0, "one"), said
    assert said == "Building the page (frontend/dist) …\n"
    assert checkout.asked() == ["ci", "run"]
    assert checkout.build() == (0, "")
    assert checkout.asked() == []
    assert not (checkout.folder / "frontend" / "dist.new").exists()


def test_it_is_built_again_when_a_file_of_it_changes_and_its_packages_are_kept(checkout: Checkout) -> None:
    checkout.build()
    for path, packages in [("src/page.ts", []), ("client/src/new.ts", []), ("package-lock.json", ["ci"])]:
        checkout.asked()
        checkout.write(f"frontend/{path}", f"{path} is another")
        code, said = checkout.build()
        assert code == 0, said
        assert checkout.asked() == [*packages, "run"], path
    assert checkout.page == "src/page.ts is another"


def test_what_is_installed_or_built_is_no_file_of_the_page(checkout: Checkout) -> None:
    checkout.build()
    checkout.asked()
    for path in ("node_modules/x/y.js", "client/node_modules/z.js", "client/dist/client.js", "dist/x", "a.tsbuildinfo"):
        checkout.write(f"frontend/{path}", "x")
    assert checkout.build() == (0, "")
    assert checkout.asked() == []


@pytest.mark.parametrize("step", ["ci", "run"])
def test_one_line_says_why_there_is_no_page(checkout: Checkout, step: str) -> None:
    checkout.write(f"broken-{step}", "")
    code, said = checkout.build()
    assert code == 1
    _, complaint = said.splitlines()
    assert complaint.startswith("scripts/page: ")
    assert complaint.endswith("The server runs without a page to play on")
    assert "build/page.log" in complaint
    assert "ECONNREFUSED" in (checkout.folder / "build" / "page.log").read_text()
    (checkout.folder / f"broken-{step}").unlink()
    assert checkout.build()[0] == 0
    assert checkout.page == "one"


def test_a_page_that_cannot_be_built_leaves_the_one_before(checkout: Checkout) -> None:
    checkout.build()
    checkout.write("frontend/src/page.ts", "two")
    checkout.write("broken-run", "")
    code, said = checkout.build()
    assert (code, checkout.page) == (1, "one")
    assert said.endswith("The server shows the page that was built before\n")


@pytest.mark.parametrize("node", ["#!/bin/sh\necho v18.20.4\n", "#!/bin/sh\nexit 127\n"], ids=["old", "broken"])
def test_node_comes_from_pypi_where_there_is_none_that_is_new_enough(checkout: Checkout, node: str) -> None:
    checkout.program("node", node)
    checkout.write("scripts/setup", '#!/bin/sh\necho "$@" >>asked\nexit 1\n').chmod(0o755)
    code, said = checkout.build()
    assert code == 1
    assert checkout.asked() == ["node"]
    (complaint,) = said.splitlines()
    assert "Node 20 or newer is needed" in complaint


def test_two_at_a_time_build_it_once(checkout: Checkout) -> None:
    both = [checkout.start(), checkout.start()]
    for process in both:
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
    assert checkout.asked() == ["ci", "run"]
