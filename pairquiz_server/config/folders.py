"""Where files lie: the settings, the data, the page to play on."""

import os
import sys
from pathlib import Path

from pairquiz_server.config.sources import ConfigError

ROOT_DATA_DIR = Path("/var/lib/pairquiz-server")
_PACKAGE = Path(__file__).resolve().parents[1]


class Folders:
    """Folders as settings name them: relative to `source`, the file that does; None for no file."""

    def __init__(self, source: Path | None) -> None:
        # An installed package's file is nobody's place for anything, so that there too it is where we are.
        self._beside = Path.cwd() if source is None or source == installed_file() else source.resolve().parent

    def data_dir(self, text: str, *, named_outside: bool) -> Path:
        """Return the data folder; what a flag or the environment names is relative to where we are.

        Raises `ConfigError`.
        """
        if text == "auto":
            return ROOT_DATA_DIR if os.geteuid() == 0 else self._beside / "var"
        return self._resolved("data_dir", text, named_outside)

    def page(self, text: str, *, named_outside: bool) -> Path | None:
        """Return the folder of the built page, None where there is none. Raises `ConfigError`."""
        if text == "none":
            return None
        if text == "auto":
            return _own_page()
        folder = self._resolved("page", text, named_outside)
        if not _is_page(folder):
            raise ConfigError(f'server.page: {folder} has no index.html: name the folder of a built page, or "none"')
        return folder

    def socket(self, text: str, *, named_outside: bool) -> Path:
        """Return the path of the operator's socket that is named. Raises `ConfigError`."""
        try:
            return ((Path.cwd() if named_outside else self._beside) / Path(text).expanduser()).resolve()
        except (OSError, RuntimeError, ValueError):
            raise ConfigError(f"admin.socket {text!r} is no path: name one in a folder that you can write") from None

    def _resolved(self, key: str, text: str, named_outside: bool) -> Path:
        try:
            return ((Path.cwd() if named_outside else self._beside) / Path(text).expanduser()).resolve()
        except (OSError, RuntimeError, ValueError):
            raise ConfigError(f"server.{key} {text!r} is no folder's path: name one that you can write") from None


def default_file() -> Path | None:
    """Return the config.toml that is read where none is named: the checkout's, else the installed one."""
    checkout = _PACKAGE.parent / "config.toml"
    return next((path for path in (checkout, installed_file()) if path.is_file()), None)


def installed_file() -> Path:
    """Return where the file of an installed package is."""
    return Path(sys.prefix) / "share" / "pairquiz-server" / "config.toml"


def _own_page() -> Path | None:
    """Return the page that came with the server: inside an installed wheel, else where a checkout builds it."""
    packaged = _PACKAGE / "_page"
    built = (packaged if packaged.is_dir() else _PACKAGE.parent / "frontend") / "dist"
    return built if _is_page(built) else None


def _is_page(folder: Path) -> bool:
    return os.access(folder / "index.html", os.R_OK)
