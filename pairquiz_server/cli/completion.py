"""`pairquiz-server completion`: what makes a shell complete commands, options and topics."""

import click
from click.shell_completion import get_completion_class

PROGRAM = "pairquiz-server"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes SHELL complete this command.

    \b
    bash:  source <(pairquiz-server completion bash)
    zsh:   source <(pairquiz-server completion zsh)
    fish:  pairquiz-server completion fish | source

    In a startup file of the shell it holds for good.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # click has all three
    complete_var = "_" + PROGRAM.replace("-", "_").upper() + "_COMPLETE"
    click.echo(kind(ctx.find_root().command, {}, PROGRAM, complete_var).source())
