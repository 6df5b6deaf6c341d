"""The command `pairquiz-server`: its subcommands, and how their failures are told."""

import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from pairquiz_server import __version__
from pairquiz_server.cli.lazily import LazyGroup
from pairquiz_server.failure import Failure
from pairquiz_server.nearest import did_you_mean

# Each is the first sentence of the command's own help; only a command that is used is imported.
_COMMANDS = {
    "serve": "Serve players until Ctrl+C or SIGTERM.",
    "play": "Play a duel at the server URL (the one of this machine, if none is named), or by a link to a match.",
    "loadtest": "Let pairs play at the server URL at a rate, and hold it to what it promises.",
    "probe": "Play one real duel at the server URL, now and then, and tell a monitor how it went.",
    "migrate": "Bring the database's schema to the newest version.",
    "questions": "Import, list, export and check questions, and see which ones players have reported.",
    "players": "Find, ban, export and erase players, by the id that their tokens prove (`find` shows it).",
    "matches": "List, show, watch and end matches of a server that runs.",
    "maintenance": "Let no match begin for a while, at all servers of the database, or let them begin again.",
    "top": "Show how the servers fare, as it changes.",
    "audit": "Show what operators have done, the latest last.",
    "token": "Print a token: for the user PLAYER_ID by JWT_SECRET, or for a guest where no secret is set.",
    "config": "Print the settings in force as JSON.",
    "doctor": "Say what is wrong with a server, and the command that mends it.",
    "usage": "Show how often each feature was used, and by how many players, by day (UTC).",
    "completion": "Print what makes SHELL complete this command.",
    "schema": "Print the contract: REST as OpenAPI 3.1, the sockets as AsyncAPI 3, both as TypeScript or as tables.",
}


class _OneLineErrors(LazyGroup):
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
        except Failure as failure:
            _fail(failure.told)
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
    """End with one line; what comes from elsewhere in it (a server, a file) is nothing that a terminal would obey."""
    harmless = "".join(character if character.isprintable() else " " for character in message)
    click.echo("pairquiz-server: " + " ".join(harmless.split()), err=True)
    sys.exit(exit_code)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pairquiz-server")
def main() -> None:
    """Realtime backend for two-player quiz duels."""


for _name, _sentence in _COMMANDS.items():
    main.announce(_name, _sentence)


if __name__ == "__main__":
    main()
