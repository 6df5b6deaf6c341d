"""A group of commands that are known by their names, and imported when they are used."""

from importlib import import_module

import click


class LazyGroup(click.Group):
    """Lists and completes its commands without importing any: the server behind them takes a second to load."""

    def announce(self, name: str, sentence: str) -> None:
        """Tell of a command, and what it does: the function `name` in the module `name` beside this one."""
        self.add_command(click.Command(name, help=sentence))

    def loaded(self, name: str) -> click.Command:
        """Return a command that was announced, with its options."""
        command = getattr(import_module(f"{__package__}.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that a command line is for, as click wants it before it reads the command's options."""
        name, announced, rest = super().resolve_command(ctx, args)
        return name, announced and self.loaded(announced.name or ""), rest
