"""The options that several commands take, and the settings that they lead to."""

from pathlib import Path
from typing import Any

import click

from pairquiz_server.config import Settings, load

config_option = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Read this file in place of config.toml."
)
data_dir_option = click.option("--data-dir", help="Where the embedded PostgreSQL keeps its data.")
output_option = click.option("--output", type=click.Path(path_type=Path), help="Write here [default: standard output].")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a machine to read.")


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
