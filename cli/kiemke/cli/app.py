"""What every command is given: settings, the terminal, and the client once somebody is signed in."""

import sys
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from kiemke.cli import figures, session
from kiemke.cli.errors import NotSignedIn
from kiemke.cli.settings import Settings
from kiemke.cli.text import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from kiemke.cli.client import Client

DEFAULT_COLUMNS = 80


@dataclass(slots=True)
class App:
    """One run of the command line."""

    settings: Settings
    _client: "Client | None" = field(default=None, init=False)
    _signed_in: session.Session | None = field(default=None, init=False)

    def signed_in(self) -> session.Session:
        """Return the session of this machine. Raises NotSignedIn."""
        if self._signed_in is None:
            self._signed_in = session.load(self.settings.config_dir)
        if self._signed_in is None:
            raise NotSignedIn
        return self._signed_in

    @property
    def client(self) -> "Client":
        """The connection of the signed-in user. Raises NotSignedIn."""
        if self._client is None:
            # httpx takes half of the time to the first prompt; help and errors do without it.
            from kiemke.cli.client import Client

            who = self.signed_in()
            self._client = Client(who.server, who.ca_pem, who.token)
        return self._client

    def close(self) -> None:
        """Close the connection, if one was opened."""
        if self._client is not None:
            self._client.__exit__(None, None, None)

    @property
    def zone(self) -> tzinfo:
        """The installation's zone: the same day for everybody who looks at it."""
        known = self._signed_in.utc_offset_seconds if self._signed_in else None
        return figures.zone_of(known)

    def remember(self, **changes: str | int | None) -> None:
        """Keep something the server told in the session file (role, offset)."""
        kept = replace(self.signed_in(), **changes)  # type: ignore[arg-type]  # names are fields
        if kept != self._signed_in:
            session.save(self.settings.config_dir, kept)
            self._signed_in = kept

    def is_demo(self) -> bool:
        """Return whether the data are fictional, by the last answer or at sign-in."""
        here = self._client is not None and self._client.demo
        return here or (self._signed_in is not None and self._signed_in.demo)

    def width(self) -> int:
        """Return the cells of a line: the terminal's, 80 where there is none."""
        return self._console(False).width if sys.stdout.isatty() else DEFAULT_COLUMNS

    def interactive(self) -> bool:
        """Return whether a person can be asked."""
        return sys.stdin.isatty() and sys.stdout.isatty()

    def _console(self, to_stderr: bool) -> "Console":
        # Imported here so that `kiemke --help` starts without it.
        from rich.console import Console

        return Console(stderr=to_stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def say(self, *lines: "Text | str", to_stderr: bool = False) -> None:
        """Print lines, each inert: a str is made visible first, a Text was made of visible parts."""
        from rich.text import Text  # as above

        console = self._console(to_stderr)
        for line in lines:
            console.print(Text(visible(line)) if isinstance(line, str) else line)

    def write(self, text: str) -> None:
        """Write finished text (JSON, CSV) to standard output as it is."""
        sys.stdout.write(text)

    def heading(self, title: str) -> None:
        """Print a title, marked where the data are fictional."""
        from rich.text import Text  # as above

        line = Text(visible(title), style="bold")
        if self.is_demo():
            # The mark is the same in both languages: it must be known on sight.
            line.append("  ")
            line.append("DỮ LIỆU MẪU", style="bold yellow")
        self.say(line)


pass_app = click.make_pass_decorator(App)
