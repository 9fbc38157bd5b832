"""The root command: loads a noun only when it is called, prints every error in one way."""

import importlib
import sys
from collections.abc import Sequence

import click

from kiemke.cli import i18n
from kiemke.cli.app import App
from kiemke.cli.command import Group, Option
from kiemke.cli.commands import COMMANDS
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.settings import LANGUAGES, read_settings, speaking
from kiemke.wire import __version__

EXIT_ERROR, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class Root(Group):
    """`kiemke` itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the table, in its order."""
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name or alias, loading its module now."""
        for entry in COMMANDS:
            if cmd_name in (entry.name, entry.alias):
                module = importlib.import_module(f"kiemke.cli.commands.{entry.module}")
                command: click.Command = getattr(module, entry.attribute)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, without loading anything."""
        rows = [
            (f"{e.name}, {e.alias}" if e.alias else e.name, _(e.sentence).rstrip("."))
            for e in COMMANDS
        ]
        with formatter.section(_("Commands")):
            formatter.write_dl(rows)


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"kiemke {__version__}")
        ctx.exit()


ROOT = Root(
    "kiemke",
    help=N_("The count of an office's computers and lines, kept by the machines themselves."),
    examples=(
        "kiemke login https://10.1.0.5:8443 an",
        "kiemke coverage",
        "kiemke duong-truyen list",
        "kiemke may show TG-VP-07 --lang en",
    ),
    params=[
        Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_print_version,
            help=N_("Print the version."),
        )
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(argv: Sequence[str]) -> int:
    """Run one command line (without the program's name); return its exit code."""
    settings = read_settings()
    spoken = _language_asked(argv) or settings.language
    i18n.use(spoken)
    app = App(settings)
    with speaking(spoken):
        try:
            code = ROOT.main(args=list(argv), prog_name="kiemke", standalone_mode=False, obj=app)
            return code if isinstance(code, int) else 0
        except KiemkeError as err:
            app.say(*err.lines(), to_stderr=True)
            return err.exit_code
        except click.UsageError as err:
            _print_usage_error(app, err)
            return EXIT_USAGE
        except click.ClickException as err:
            app.say(_("Error: {message}").format(message=err.format_message()), to_stderr=True)
            return EXIT_ERROR
        except (click.Abort, KeyboardInterrupt):
            app.say(_("stopped"), to_stderr=True)
            return EXIT_INTERRUPTED
        except BrokenPipeError:
            # `kiemke … | head`: the reader has had enough. Keep Python from saying so again.
            sys.stdout = None
            return 0
        finally:
            app.close()


def _print_usage_error(app: App, err: click.UsageError) -> None:
    lines = [_("Error: {message}").format(message=err.format_message())]
    if err.ctx is not None:
        lines.insert(0, err.ctx.get_usage())
        lines.append(_("What to do") + f": {err.ctx.command_path} --help")
    app.say(*(line for text in lines for line in text.splitlines()), to_stderr=True)


def _language_asked(argv: Sequence[str]) -> str | None:
    """Return the value of --lang wherever it stands: help must know it before click parses."""
    for position, word in enumerate(argv):
        if word == "--":
            return None
        value = word.removeprefix("--lang=") if word.startswith("--lang=") else None
        if word == "--lang" and position + 1 < len(argv):
            value = argv[position + 1]
        if value in LANGUAGES:
            return value
    return None
