"""Commands, groups and options whose help speaks two languages and ends with an example."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from kiemke.cli.i18n import N_, _, said
from kiemke.cli.settings import LANGUAGES

Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])


class Option(click.Option):
    """An option whose help and metavar are msgids."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's line of the help, in the language spoken."""
        spoken = copy.copy(self)
        spoken.help = said(self.help)
        return click.Option.get_help_record(spoken, ctx)

    def make_metavar(self, ctx: click.Context) -> str:
        """Return what stands for the value, in the language spoken."""
        return _(super().make_metavar(ctx))


class Argument(click.Argument):
    """An argument whose metavar is a msgid."""

    def make_metavar(self, ctx: click.Context) -> str:
        """Return what stands for the value, in the language spoken; in brackets what may be left out."""
        word = _(super().make_metavar(ctx))
        return word if self.required or word.startswith("[") else f"[{word}]"


def option(*names: str, **fields: Any) -> Callable[[Wrapped], Wrapped]:
    """Declare an option with a bilingual help."""
    return click.option(*names, cls=Option, **fields)


def argument(*names: str, **fields: Any) -> Callable[[Wrapped], Wrapped]:
    """Declare an argument with a bilingual metavar."""
    return click.argument(*names, cls=Argument, **fields)


class _Bilingual(click.Command):
    """What commands and groups share. ``examples`` are whole command lines."""

    def __init__(
        self, *args: Any, alias: str | None = None, examples: Sequence[str] = (), **fields: Any
    ) -> None:
        fields.setdefault("options_metavar", N_("[OPTIONS]"))
        super().__init__(*args, **fields)
        self.alias, self.examples = alias, tuple(examples)
        # Read before parsing by the root (help of an eager option would come too early otherwise).
        self.params.append(
            Option(
                ["--lang"],
                type=click.Choice(LANGUAGES),
                expose_value=False,
                help=N_("Language of the texts."),
            )
        )

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the --help option; click keeps it with the words of the first language asked."""
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = _("Show this message and exit.")
        return found

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words after the command's name in its usage line."""
        return [_(piece) for piece in super().collect_usage_pieces(ctx)]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(said(self.help))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, one a line, never wrapped: they are there to be copied."""
        if self.examples:
            formatter.write_paragraph()
            formatter.write_heading(_("Examples"))
            for example in self.examples:
                formatter.write(f"  {example}\n")

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first sentence of the help."""
        return said(self.help).split(". ")[0].rstrip(".")


class Command(_Bilingual):
    """A command of the tree."""


class Group(_Bilingual, click.Group):
    """A noun and its verbs. A verb may also be called by its alias (unaccented Vietnamese).

    ``otherwise`` are the verb, and what goes before the rest, of a line that names no verb.
    """

    command_class = Command

    def __init__(self, *args: Any, otherwise: Sequence[str] = (), **fields: Any) -> None:
        fields.setdefault("subcommand_metavar", N_("COMMAND [ARGS]..."))
        super().__init__(*args, **fields)
        self.otherwise = tuple(otherwise)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the line; what begins with an option of the verb's is the usual verb's."""
        rest = list(args)
        while rest and rest[0].split("=")[0] == "--lang":  # any command's, and read already
            rest = rest[1:] if "=" in rest[0] else rest[2:]
        help_asked = bool(rest) and rest[0] in self.get_help_option_names(ctx)
        if self.otherwise and not help_asked and not (rest and not rest[0].startswith("-")):
            args = [*self.otherwise, *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb of this name or alias, None when there is none."""
        found = super().get_command(ctx, cmd_name)
        if found:
            return found
        verbs = (verb for verb in self.commands.values() if isinstance(verb, _Bilingual))
        return next((verb for verb in verbs if verb.alias == cmd_name), None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs with their aliases."""
        rows = []
        for name in self.list_commands(ctx):
            verb = self.get_command(ctx, name)
            if verb is not None and not verb.hidden:
                alias = verb.alias if isinstance(verb, _Bilingual) else None
                rows.append((f"{name}, {alias}" if alias else name, verb.get_short_help_str(60)))
        if rows:
            with formatter.section(_("Commands")):
                formatter.write_dl(rows)
