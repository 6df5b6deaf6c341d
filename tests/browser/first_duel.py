"""How long a stranger waits: from `git clone` until two windows have played a question.  scripts/stopwatch

Whatever packages a machine has fetched before, it does not fetch again; everything else is done from the beginning.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

from tests.browser.steps import HOME, accept, all_see, answer, question
from tests.browser.windows import Chromium, Window, chromium_running
from tests.nodejs import find_node, installed

TOP = Path(__file__).resolve().parents[2]
OF = 5
Say = Callable[[str], None]


async def main() -> None:
    """Do it once, and say when each step was done."""
    chromium_program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium_program is None:
        sys.exit("scripts/stopwatch: Chromium is missing: apt-get install chromium, or CHROMIUM=/path/to/it")
    with tempfile.TemporaryDirectory(prefix="first-duel-") as name:
        folder = Path(name)
        os.chmod(folder, 0o755)  # noqa: PTH101  (as root, PostgreSQL runs as another user)
        driver = installed(find_node(), Path(__file__).parent, folder / "driver")
        async with chromium_running(find_node(), driver, chromium_program) as chromium:
            await _from_clone_to_duel(folder, chromium)


async def _from_clone_to_duel(folder: Path, chromium: Chromium) -> None:
    began = time.monotonic()

    def say(what: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {what}\n")

    await asyncio.to_thread(subprocess.run, ["git", "clone", "--quiet", TOP, folder / "clone"], check=True)
    say("cloned")
    command = [folder / "clone" / "scripts" / "run", "--port", "0", "--data-dir", folder / "data"]
    server = await asyncio.create_subprocess_exec(*map(str, command), stdout=PIPE, start_new_session=True)
    try:
        url = await _url(server)
        say(f"serves at {url}")
        await _play(chromium, url, say)
    finally:
        os.killpg(server.pid, signal.SIGINT)
        await server.communicate()


async def _url(server: Process) -> str:
    assert server.stdout is not None
    async for line in server.stdout:
        if found := re.search(r"ready for players: +(http://\S+)", line.decode()):
            return found[1]
    sys.exit("scripts/stopwatch: scripts/run has ended (see above)")


async def _play(chromium: Chromium, url: str, say: Say) -> None:
    ann, ben = (Window(chromium, who, who, who) for who in ("Ann", "Ben"))
    for window in (ann, ben):
        await window.ask("open", browser=window.owner, phone=False, theme="light")
    await ann.go(url)
    await ann.see("heading", HOME)
    say("the page is there")
    await ann.press("button", "Invite a friend")
    await ben.go(await ann.value("textbox", "Link"))
    await accept(ben)
    await ben.press("button", "Start the duel")
    await all_see((ann, ben), "text", question(1, OF))
    await asyncio.gather(answer(ann, 1, of=OF), answer(ben, 1, option=2, of=OF))
    say("both have played the first question")


if __name__ == "__main__":
    asyncio.run(main())
