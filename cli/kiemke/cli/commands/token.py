"""kiemke token: access tokens for programs and for Prometheus."""

from urllib.parse import quote

import click

from kiemke.cli import words as vocabulary
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT, THING, words
from kiemke.cli.listing import Shape, json_option, shape_options, show
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import text_at
from kiemke.cli.tables import Column, as_json

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Kind"), "kind", words("token_kind")),
    Column(N_("Label"), "label", flexible=True),
    Column(N_("Of"), "user", flexible=True),
    Column(N_("Role"), "role", words("role"), optional=2),
    Column(N_("Unit"), "unit", THING, optional=3),
    Column(N_("Ends"), "expires_at", MOMENT),
    Column(N_("Revoked"), "revoked_at", MOMENT, optional=1),
)


@click.group(
    "token",
    cls=Group,
    help=N_("Access tokens for programs and Prometheus."),
    examples=("kiemke token list", "kiemke token add --kind scrape --label prometheus"),
)
def token() -> None:
    """Hold the verbs."""


@token.command(
    "list",
    alias="danh-sach",
    help=N_("List access tokens (never their secrets)."),
    examples=("kiemke token list", "kiemke khoa list --json"),
)
@shape_options
@pass_app
def list_(app: App, shape: Shape) -> None:
    """List tokens."""
    show(app, _("Access tokens"), COLUMNS, app.client.items("/tokens", None, shape.rows), shape)


@token.command(
    "add",
    alias="them",
    help=N_("Make a token for a program or for Prometheus. It is shown once."),
    examples=(
        "kiemke token add --kind scrape --label prometheus --days 365",
        "kiemke token add --kind api --role viewer --unit TG-VP --label bao-cao",
    ),
)
@option(
    "--kind",
    type=click.Choice(("api", "scrape")),
    required=True,
    help=N_("For a program (api) or for Prometheus (scrape)."),
)
@option("--label", metavar=N_("LABEL"), help=N_("What it is for."))
@option("--days", type=click.IntRange(min=1), metavar=N_("DAYS"), help=N_("How long."))
@option(
    "--role",
    type=Choice("role", most=4),
    help=N_("Carry no more than this role; else all that you may."),
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"), help=N_("Carry no more than this unit."))
@json_option
@pass_app
def add(
    app: App,
    kind: str,
    label: str | None,
    days: int | None,
    role: str | None,
    unit: str | None,
    json: bool,
) -> None:
    """Make a token."""
    place = reference(app, UNIT, unit)
    asked = {"kind": kind, "label": label, "days": days, "role": role, "unit": place}
    body = {name: value for name, value in asked.items() if value is not None}
    made = app.client.send("POST", "/tokens", body=body)
    if json:
        app.write(as_json(made) + "\n")
        return
    app.say(
        _("Token ({kind}); it is not shown again:").format(
            kind=vocabulary.word("token_kind", kind)
        ),
        text_at(made, "token") or "?",
    )


@token.command(
    "revoke",
    alias="thu-hoi",
    help=N_("End a token at once."),
    examples=("kiemke token revoke 3f9a", "kiemke khoa thu-hoi 3f9a"),
)
@argument("token_id", metavar=N_("TOKEN_NUMBER"))
@pass_app
def revoke(app: App, token_id: str) -> None:
    """Revoke a token."""
    app.client.send("DELETE", f"/tokens/{quote(token_id, safe='')}")
    app.say(_("Revoked: {token}").format(token=token_id))
