"""The command `pairquiz-server`: its subcommands, and how their failures are told."""

import sys
from typing import Any

import click

from pairquiz_server import __version__, logs
from pairquiz_server.app import StartError
from pairquiz_server.cli import config, migrate, questions, serve, token, usage
from pairquiz_server.config import ConfigError
from pairquiz_server.formats import UnreadableFile
from pairquiz_server.store.embedded import EmbeddedPostgresError
from pairquiz_server.store.migrations import MigrationError
from pairquiz_server.store.pool import StorageUnavailable


class _OneLineErrors(click.Group):
    """A group whose commands end with one line and exit code 1 where something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StorageUnavailable as error:
            _fail(
                f"the database cannot be used: {error}. Check DATABASE_URL (or SUPABASE_URL) and that it runs, "
                "or unset it to use the embedded PostgreSQL"
            )
        except (ConfigError, StartError, EmbeddedPostgresError, MigrationError, UnreadableFile) as error:
            _fail(str(error))


def _fail(message: str) -> None:
    click.echo(f"pairquiz-server: {message}", err=True)
    sys.exit(1)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pairquiz-server")
def main() -> None:
    """Realtime backend for two-player quiz duels."""
    logs.configure(level="warning", style="console")  # a command's own words are enough; `serve` sets its own


main.add_command(serve.serve)
main.add_command(migrate.migrate)
main.add_command(questions.questions)
main.add_command(token.token)
main.add_command(config.config)
main.add_command(usage.usage)


if __name__ == "__main__":
    main()
