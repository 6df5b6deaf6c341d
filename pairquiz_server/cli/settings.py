"""What a command works with that looks after a server: its settings, and logs of its own."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pairquiz_server import logs
from pairquiz_server.cli.options import config_option, data_dir_option, read_settings

Command = Callable[..., Any]


def with_settings(command: Command) -> Command:
    """Give a command `--config` and `--data-dir`, and call it with `settings` in their place."""

    @config_option
    @data_dir_option
    @functools.wraps(command)
    def with_loaded_settings(*arguments: Any, config_file: Path | None, data_dir: str | None, **options: Any) -> Any:
        logs.configure(level="warning", style="console")  # a command's own words are enough
        return command(*arguments, settings=read_settings(config_file, data_dir=data_dir), **options)

    return with_loaded_settings
