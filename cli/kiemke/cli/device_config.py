"""kiemke device config and host-key: configurations by version, and the SSH host keys of devices."""

from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT, words
from kiemke.cli.listing import (
    DayType,
    Shape,
    Times,
    json_option,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import DEVICE, pick
from kiemke.cli.records import dig, text_at
from kiemke.cli.tables import Column, as_json, cell

VERSIONS = (
    Column(N_("Version"), "id"),
    Column(N_("Read at"), "read_at", MOMENT),
    Column(N_("Same until"), "seen_at", MOMENT),
    Column(N_("Lines of text"), "lines"),
    Column(N_("Secrets masked"), "masked", optional=1),
    Column(N_("Platform"), "platform", optional=2),
)
KEYS = (
    Column(N_("Host key"), "host_key", flexible=True),
    Column(N_("State"), "state", words("host_key_state")),
    Column(N_("First seen"), "first_seen_at", MOMENT, optional=1),
    Column(N_("Last seen"), "last_seen_at", MOMENT, optional=2),
    Column(N_("Accepted by"), "pinned_by", optional=3),
)


class VersionType(click.ParamType[str]):
    """A version's number, or the day at whose end it was so."""

    name = "version"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the number or the ISO day."""
        text = str(value)
        if text.isascii() and text.isdecimal():
            return text
        return DayType().convert(text, param, ctx)


@click.group(
    "config",
    cls=Group,
    alias="cau-hinh",
    help=N_("Configurations fetched by SSH, by version, their secrets masked."),
    examples=("kiemke device config diff SW-01", "kiemke thiet-bi cau-hinh list SW-01"),
)
def config() -> None:
    """Hold the verbs."""


@config.command(
    "list",
    alias="danh-sach",
    help=N_("List the versions of a device's configuration, the newest first."),
    examples=("kiemke device config list SW-01", "kiemke thiet-bi cau-hinh list SW-01 --csv"),
)
@argument("ref", metavar=N_("DEVICE"))
@time_options
@shape_options
@pass_app
def list_(app: App, ref: str, times: Times, shape: Shape) -> None:
    """List versions."""
    path = f"/devices/{_code(app, ref, times)}/configs"
    show(
        app,
        _("Versions of the configuration"),
        VERSIONS,
        app.client.items(path, times.parameters(), shape.rows),
        shape,
    )


@config.command(
    "show",
    alias="xem",
    help=N_("Show a configuration: the newest, or one by its number or day."),
    examples=("kiemke device config show SW-01", "kiemke thiet-bi cau-hinh xem SW-01 01/11/2026"),
)
@argument("ref", metavar=N_("DEVICE"))
@argument("version", metavar=N_("VERSION"), required=False, type=VersionType())
@time_options
@json_option
@pass_app
def show_(app: App, ref: str, version: str | None, times: Times, json: bool) -> None:
    """Show a version."""
    path = f"/devices/{_code(app, ref, times)}/configs/{version or 'latest'}"
    found = app.client.get(path, times.parameters())
    app.write(as_json(found) + "\n" if json else text_at(found, "text") or "")


@config.command(
    "diff",
    alias="so-sanh",
    help=N_(
        "Show what changed between two versions, by number or day; the last change when none is "
        "named, up to the newest when one is."
    ),
    examples=(
        "kiemke device config diff SW-01",
        "kiemke device config diff SW-01 12 15",
        "kiemke thiet-bi cau-hinh so-sanh SW-01 01/11/2026 --json",
    ),
)
@argument("ref", metavar=N_("DEVICE"))
@argument("before", metavar=N_("BEFORE"), required=False, type=VersionType())
@argument("after", metavar=N_("AFTER"), required=False, type=VersionType())
@time_options
@json_option
@pass_app
def diff(
    app: App, ref: str, before: str | None, after: str | None, times: Times, json: bool
) -> None:
    """Compare two versions."""
    code = _code(app, ref, times)
    asked = {**times.parameters(), "before": before, "after": after}
    found = app.client.get(f"/devices/{code}/config-diff", asked)
    if json:
        app.write(as_json(found) + "\n")
        return
    old, new = (_version(app, found, side) for side in ("before", "after"))
    said = dig(found, "lines")
    lines = [str(line) for line in said] if isinstance(said, list) else []
    if not lines and dig(found, "before.id") == dig(found, "after.id"):
        app.say(_("nothing to compare with: {version} is all there is").format(version=new))
        return
    if not lines:
        app.say(_("no change from {old} to {new}").format(old=old, new=new))
        return
    app.say(f"--- {old}", f"+++ {new}", *lines)


def _version(app: App, found: object, side: str) -> str:
    read_at = Column("", f"{side}.read_at", MOMENT)
    return _("version {number} of {moment}").format(
        number=dig(found, f"{side}.id"),
        moment=cell(read_at, found if isinstance(found, dict) else {}, app.zone),
    )


@click.group(
    "host-key",
    cls=Group,
    alias="khoa-may",
    help=N_("The SSH host keys of devices: one that changed is not logged in to until accepted."),
    examples=("kiemke device host-key list SW-01", "kiemke thiet-bi khoa-may accept SW-01"),
)
def host_key() -> None:
    """Hold the verbs."""


@host_key.command(
    "list",
    alias="danh-sach",
    help=N_("List the host keys a device showed, the newest first."),
    examples=("kiemke device host-key list SW-01", "kiemke thiet-bi khoa-may list SW-01 --json"),
)
@argument("ref", metavar=N_("DEVICE"))
@time_options
@shape_options
@pass_app
def keys(app: App, ref: str, times: Times, shape: Shape) -> None:
    """List host keys."""
    path = f"/devices/{_code(app, ref, times)}/host-keys"
    show(app, _("Host keys"), KEYS, app.client.items(path, times.parameters(), shape.rows), shape)


@host_key.command(
    "accept",
    alias="chap-nhan",
    help=N_(
        "Believe the key that a device shows now. Compare it with the device's own first: a key "
        "that changed without a reason is somebody in between."
    ),
    examples=("kiemke device host-key accept SW-01", "kiemke thiet-bi khoa-may chap-nhan SW-01"),
)
@argument("ref", metavar=N_("DEVICE"))
@option("--key", metavar="SHA256:...", help=N_("Only if it is this one."))
@json_option
@pass_app
def accept(app: App, ref: str, key: str | None, json: bool) -> None:
    """Accept a host key."""
    code = _code(app, ref, None)
    body = {} if key is None else {"host_key": key}
    found = app.client.send("POST", f"/devices/{code}/host-key", body=body)
    if json:
        app.write(as_json(found) + "\n")
        return
    app.say(
        _("{device}: believed from now on: {new}").format(
            device=text_at(found, "device"), new=text_at(found, "host_key")
        )
    )


def _code(app: App, ref: str, times: Times | None) -> str:
    """Return a device's code as it stands in an address."""
    found = pick(app, DEVICE, ref, times.parameters() if times else None)
    return quote(text_at(found, "code") or ref, safe="")
