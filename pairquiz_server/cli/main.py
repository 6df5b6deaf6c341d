"""The command `pairquiz-server`: its subcommands, and how their failures are told."""

import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from pairquiz_server import __version__, logs
from pairquiz_server.app import StartError
from pairquiz_server.cli import completion, config, migrate, play, players, questions, schema, serve, token, usage
from pairquiz_server.client.errors import ClientError
from pairquiz_server.config import ConfigError
from pairquiz_server.formats import UnreadableFile
from pairquiz_server.nearest import did_you_mean
from pairquiz_server.store.embedded import EmbeddedPostgresError
from pairquiz_server.store.migrations import MigrationError
from pairquiz_server.store.pool import StorageUnavailable


class _OneLineErrors(click.Group):
    """A group whose commands end with one line where something is wrong: exit code 1, or 2 for a wrong command line.

    SIGTERM unwinds a command as Ctrl+C does, so that its share of the embedded PostgreSQL is given back.
    """

    def main(self, *arguments: Any, **options: Any) -> NoReturn:
        """Run the command line, and exit."""
        before = signal.signal(signal.SIGTERM, _unwind)
        try:
            sys.exit(super().main(*arguments, **options | {"standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "pairquiz-server"
            _fail(f"{_with_the_nearest(error)}. See {command} --help", error.exit_code)
        except click.ClickException as error:
            _fail(error.format_message())
        except click.Abort:
            _fail("stopped before it was done", 128 + signal.SIGINT)
        except StorageUnavailable as error:
            _fail(
                f"the database cannot be used: {error}. Check DATABASE_URL (or SUPABASE_URL) and that it runs, "
                "or unset it to use the embedded PostgreSQL"
            )
        except (ConfigError, ClientError, StartError, EmbeddedPostgresError, MigrationError, UnreadableFile) as error:
            _fail(str(error))
        finally:
            signal.signal(signal.SIGTERM, before)


def _with_the_nearest(error: click.UsageError) -> str:
    """Return what is wrong, with the name that was meant where a command or an option is misspelled."""
    name = getattr(error, "option_name", None) or getattr(error, "command_name", None)
    known: list[str] | None = getattr(error, "possibilities", None)
    if name is None or not known:
        return error.format_message().rstrip(".")
    return error.message.rstrip(".") + did_you_mean(name, known)


def _unwind(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    click.echo("pairquiz-server: " + " ".join(message.split()), err=True)
    sys.exit(exit_code)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pairquiz-server")
def main() -> None:
    """Realtime backend for two-player quiz duels."""
    logs.configure(level="warning", style="console")  # a command's own words are enough; `serve` sets its own


main.add_command(serve.serve)
main.add_command(play.play)
main.add_command(migrate.migrate)
main.add_command(questions.questions)
main.add_command(players.players)
main.add_command(token.token)
main.add_command(config.config)
main.add_command(usage.usage)
main.add_command(completion.completion)
main.add_command(schema.schema)


if __name__ == "__main__":
    main()
