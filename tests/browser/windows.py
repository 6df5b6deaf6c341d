"""A real browser, and windows in it as people use them: they see, press and read what has a role and a name."""

import asyncio
import itertools
import json
import re
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

LINE_MAX = 16 * 1024 * 1024
Name = str | re.Pattern[str] | None


class DriverError(AssertionError):
    """What was asked of the browser did not come about; says what."""


class Chromium:
    """The process that drives the browser. What is asked of it may be asked at the same time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._awaited: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, call: str, **what: Any) -> Any:
        """Ask for one thing, and return its result. Raises `DriverError`."""
        number = next(self._numbers)
        answer = self._awaited[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "call": call, **what}).encode() + b"\n")
        return await answer

    async def read(self) -> None:
        """Hand out answers, until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            answer = self._awaited.pop(message["id"], None)
            if answer is None or answer.done():
                continue
            if "error" in message:
                answer.set_exception(DriverError(message["error"]))
            else:
                answer.set_result(message["result"])
        for answer in self._awaited.values():
            if not answer.done():
                answer.set_exception(DriverError("the browser is gone"))


@asynccontextmanager
async def chromium_running(node: str, folder: Path, executable: str) -> AsyncIterator[Chromium]:
    """Start Chromium and what drives it, and end both."""
    process = await asyncio.create_subprocess_exec(
        node, "driver.mjs", executable, cwd=folder, stdin=PIPE, stdout=PIPE, limit=LINE_MAX, start_new_session=True
    )
    chromium = Chromium(process)
    reading = asyncio.create_task(chromium.read())
    try:
        yield chromium
    finally:
        assert process.stdin is not None
        process.stdin.close()  # it closes the browser, and ends
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await process.wait()
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        await reading


class Window:
    """One window, of the browser `owner`. `who` is whose it is, for people who read what failed."""

    def __init__(self, chromium: Chromium, number: str, owner: str, who: str) -> None:
        self._chromium = chromium
        self._number = number
        self.owner = owner
        self.who = who

    async def ask(self, call: str, **what: Any) -> Any:
        """Ask something of this window. Raises `DriverError`, with whose window it is."""
        try:
            return await self._chromium.ask(call, window=self._number, **what)
        except DriverError as error:
            seen = "" if call == "screen" else await self._screen()
            raise DriverError(f"{self.who}: {call} {what}: {error}\n{seen}") from None

    async def _screen(self) -> str:
        with suppress(DriverError):
            text = await self._chromium.ask("tell", window=self._number, script="document.body.innerText")
            return f"What is on the screen:\n{text}"
        return "The window is gone."

    async def go(self, url: str) -> None:
        """Open an address."""
        await self.ask("go", url=url)

    async def reload(self) -> None:
        """Load the page again."""
        await self.ask("reload")

    async def see(self, role: str, name: Name = None, **more: Any) -> None:
        """Wait until this is there, and visible."""
        await self.ask("see", **_what(role, name), **more)

    async def miss(self, role: str, name: Name = None, **more: Any) -> None:
        """Wait until this is there no more."""
        await self.ask("missing", **_what(role, name), **more)

    async def press(self, role: str, name: Name = None, **more: Any) -> None:
        """Wait until this is there and can be pressed, and press it."""
        await self.ask("press", **_what(role, name), **more)

    async def read(self, role: str, name: Name = None, **more: Any) -> str:
        """Wait until this is there, and return its text."""
        text: str = await self.ask("read", **_what(role, name), **more)
        return text

    async def read_all(self, role: str, name: Name = None, **more: Any) -> list[str]:
        """Return the texts of all that are there."""
        texts: list[str] = await self.ask("readAll", **_what(role, name), **more)
        return texts

    async def value(self, role: str, name: Name = None) -> str:
        """Wait until this field is there, and return what is in it."""
        value: str = await self.ask("value", **_what(role, name))
        return value

    async def fill(self, role: str, name: Name, text: str) -> None:
        """Write into a field."""
        await self.ask("fill", **_what(role, name), text=text)

    async def choose(self, name: Name, option: str) -> None:
        """Choose from a list."""
        await self.ask("choose", **_what("combobox", name), option=option)

    async def key(self, key: str) -> None:
        """Press a key."""
        await self.ask("key", key=key)

    async def type(self, text: str) -> None:
        """Write by the keyboard, wherever the focus is."""
        await self.ask("type", text=text)

    async def focused(self) -> str:
        """Return what has the focus, "" for nothing."""
        name: str = await self.ask("focused")
        return name

    async def first_option(self) -> str:
        """Return the first answer that can be chosen."""
        return (await self.read_all("button", within={"role": "list", "name": "Answers"}))[0]

    async def address(self) -> str:
        """Return where the window is."""
        url: str = await self.ask("address")
        return url

    async def until(self, script: str) -> None:
        """Wait until a script in the page is true."""
        await self.ask("until", script=script)

    async def tell(self, script: str) -> Any:
        """Return what a script in the page says."""
        return await self.ask("tell", script=script)

    async def offline(self, on: bool) -> None:
        """Take the line away from this window's browser, or give it back."""
        await self._chromium.ask("offline", owner=self.owner, on=on)

    async def theme(self, name: str) -> None:
        """Say that its person likes it "light" or "dark"."""
        await self.ask("theme", theme=name)

    async def findings(self) -> list[str]:
        """Return what axe finds that keeps people out."""
        found: list[str] = await self.ask("axe")
        return found

    async def picture(self, path: Path) -> None:
        """Take a picture."""
        await self.ask("picture", path=str(path))

    async def faults(self) -> list[str]:
        """Return what the page threw or logged as an error since the last time; the browser's own complaints, too."""
        faults: list[str] = await self.ask("faults")
        return faults

    async def forgive(self, part: str) -> None:
        """Look past complaints that have this in them: a browser logs each request that found no line."""
        assert [fault for fault in await self.faults() if part not in fault] == []

    async def close(self) -> None:
        """Close the window."""
        await self.ask("close")


def _what(role: str, name: Name) -> dict[str, Any]:
    if name is None:
        return {"role": role}
    return {"role": role, "name": name if isinstance(name, str) else {"pattern": name.pattern}}
