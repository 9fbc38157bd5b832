"""Help and complaints of a command line in the reader's language, as far as its program has the words."""

import sys
from argparse import Action, ArgumentParser, HelpFormatter, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NoReturn

from kiemke.wire.mouth import open_mouth

if TYPE_CHECKING:
    from argparse import _MutuallyExclusiveGroup

Tongue = Callable[[str], str]


class Formatter(RawDescriptionHelpFormatter):
    """Writes help in the reader's language, and only when somebody reads it: each start makes a parser."""

    in_tongue: Tongue | None = None

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[Action],
        groups: "Iterable[_MutuallyExclusiveGroup]",
        prefix: str | None = None,
    ) -> None:
        """Add the line of usage, under its own word for it."""
        word = self._told("usage: ") if prefix is None else prefix
        super().add_usage(usage, actions, groups, word)

    def start_section(self, heading: str | None) -> None:
        """Begin a section under its heading."""
        super().start_section(heading and self._told(heading))

    def add_text(self, text: str | None) -> None:
        """Add what the command is for."""
        super().add_text(text and self._told(text))

    def _told(self, text: str) -> str:
        return self.in_tongue(text) if self.in_tongue is not None else text

    def _get_help_string(self, action: Action) -> str | None:
        return action.help and self._told(action.help)

    def _metavar_formatter(
        self, action: Action, default_metavar: str
    ) -> Callable[[int], tuple[str, ...]]:
        names = super()._metavar_formatter(action, default_metavar)
        return (
            names if self.in_tongue is None else (lambda size: tuple(map(self._told, names(size))))
        )


class SpokenParser(ArgumentParser):
    """A parser whose help and complaints are told by ``in_tongue``, which a program's own class sets.

    ``examples`` are (words, what they do) below the help of the whole command line, ``below`` lines after.
    """

    in_tongue: Tongue
    examples: Sequence[tuple[str, str]] = ()
    below: Sequence[str] = ()

    def __init__(self, **given: object) -> None:
        """Make one; the options are those of argparse."""
        self._is_read = False
        super().__init__(**{"formatter_class": Formatter, **given})  # type: ignore[arg-type]

    def _get_formatter(self) -> HelpFormatter:
        formatter = super()._get_formatter()
        if isinstance(formatter, Formatter) and self._is_read:
            formatter.in_tongue = self.in_tongue
        return formatter

    def format_usage(self) -> str:
        """Return the line of usage."""
        self._is_read = True
        return super().format_usage()

    def format_help(self) -> str:
        """Return the help; that of the whole command line ends with examples."""
        open_mouth()
        self._is_read = True
        told = super().format_help()
        if " " in self.prog:
            return told
        width = max(len(words) for words, _ in self.examples)
        lines = [
            f"  {self.prog} {words:{width}}  {self.in_tongue(why)}" for words, why in self.examples
        ]
        return "\n".join(
            (told, self.in_tongue("examples:"), *lines, *map(self.in_tongue, self.below), "")
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the words given, and end with 2."""
        open_mouth()
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {self.in_tongue(message)}\n")
