"""The options that every command takes, and the settings that they lead to."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pairquiz_server.config import Settings, load

Command = Callable[..., Any]

config_option = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Read this file in place of config.toml."
)
data_dir_option = click.option("--data-dir", help="Where the embedded PostgreSQL keeps its data.")
output_option = click.option("--output", type=click.Path(path_type=Path), help="Write here [default: standard output].")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a machine to read.")


def with_settings(command: Command) -> Command:
    """Give a command `--config` and `--data-dir`, and call it with `settings` in their place."""

    @config_option
    @data_dir_option
    @functools.wraps(command)
    def with_loaded_settings(*arguments: Any, config_file: Path | None, data_dir: str | None, **options: Any) -> Any:
        return command(*arguments, settings=read_settings(config_file, data_dir=data_dir), **options)

    return with_loaded_settings


def write_output(data: bytes, output: Path | None) -> None:
    """Write what was exported to where `--output` says."""
    if output is None:
        click.echo(data, nl=False)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise click.FileError(click.format_filename(output), f"{error.strerror}: name another --output") from None


def read_settings(config_file: Path | None, **server_flags: Any) -> Settings:
    """Load the settings; flags that were not given (None) leave them as they are. Raises `ConfigError`."""
    given = {key: value for key, value in server_flags.items() if value is not None}
    return load(config_file, flags={"server": given} if given else None)
