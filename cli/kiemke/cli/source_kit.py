"""kiemke source kit: a ZIP for a USB stick that installs and enrols the PCs of a unit without a domain."""

import io
import json
import re
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.files import refuse_existing, write_whole
from kiemke.cli.i18n import N_, _, language
from kiemke.cli.kinds import MOMENT
from kiemke.cli.pick import UNIT, pick
from kiemke.cli.records import Record, text_at

INSTALLER = Path("dist/kiemke-agent.msi")
ENROLMENT_FILE = "enrolment.txt"
ROSTER_FILE = "danh-sach.json"
# By the names of the shipped ones: the key of the name on the stick in words.toml.
SCRIPTS = {"install.cmd": "install_cmd", "survey.cmd": "survey_cmd", "survey.ps1": "survey_ps1"}
WORDS = "words.toml"
_PUT_IN = re.compile(r"@(\w+)@")


@click.command(
    "kit",
    cls=Command,
    alias="bo-cai",
    help=N_(
        "Write a ZIP for a USB stick: the installer, an enrolment file, the unit's roster and a "
        "script, which installs on a double click and asks who uses the PC, in the language of "
        "--lang. The stick admits PCs: keep it as you would keep a key."
    ),
    examples=(
        "kiemke source kit --unit TG-XA",
        "kiemke nguon bo-cai --don-vi TG-XA --uses 20 -o E:/bo-cai.zip",
        "kiemke source kit --unit TG-XA --lang vi",
    ),
)
@option("--unit", "--don-vi", "unit", required=True, metavar=N_("UNIT"), help=N_("Whose PCs."))
@option(
    "-o", "--output", "output", metavar=N_("FILE"), help=N_("The ZIP (default: bo-cai-UNIT.zip).")
)
@option(
    "--msi", "msi", metavar=N_("FILE"),
    help=N_("The installer (default: dist/kiemke-agent.msi, made by “make packages”)."),
)  # fmt: skip
@option("--uses", type=click.IntRange(min=1), metavar=N_("TIMES"), help=N_("How many PCs."))
@option("--days", type=click.IntRange(1, 14), metavar=N_("DAYS"), help=N_("How long."))
@option(
    "--update-key", "update_keys", multiple=True, metavar=N_("KEY"),
    help=N_("A key whose releases of the agent the PCs are to trust (kiemke update key)."),
)  # fmt: skip
@option("--approves", is_flag=True, help=N_("What it enrols counts at once, without approval."))
@option("--force", is_flag=True, help=N_("Replace the file if it exists."))
@pass_app
def kit(
    app: App,
    unit: str,
    output: str | None,
    msi: str | None,
    uses: int | None,
    days: int | None,
    update_keys: tuple[str, ...],
    approves: bool,
    force: bool,
) -> None:
    """Write the ZIP."""
    keys = [check_key(one) for one in update_keys]
    installer = read_installer(INSTALLER if msi is None else Path(msi))
    found = pick(app, UNIT, unit)
    code = text_at(found, "code") or unit
    target = Path(output or f"bo-cai-{code}.zip")
    refuse_existing(target, force)
    people = app.client.items("/officials", {"unit": code}).items
    asked = {"unit": code, "kind": "agent", "uses": uses, "days": days, "approves": approves}
    made = app.client.send(
        "POST", "/enrolment-tokens", body={k: v for k, v in asked.items() if v is not None}
    )
    token: Record = made if isinstance(made, dict) else {}
    try:
        pieces = content(
            found, people, token, MOMENT.render(token.get("expires_at"), app.zone) or "?", keys
        )
        written = write_whole(target, [pack(installer, pieces)])
    except BaseException:
        # A token nobody has must not stay open.
        app.client.send("DELETE", f"/enrolment-tokens/{quote(text_at(token, 'id') or '', safe='')}")
        raise
    app.say(
        _(
            "{file}: {size} MB, for {uses} PCs until {moment}, {people} people on the roster."
        ).format(
            file=target,
            size=figures.decimal(written.size_bytes / 1e6),
            uses=token.get("uses"),
            moment=MOMENT.render(token.get("expires_at"), app.zone),
            people=len(people),
        ),
        _("Unpack it onto a USB stick; on each PC double-click {script}. Lost? Revoke it:").format(
            script=words()["install_cmd"]
        ),
        f"kiemke source revoke-token {text_at(token, 'id')}",
    )


def read_installer(path: Path) -> bytes:
    """Return the installer's bytes. Raises KiemkeError where there is none, or it is none."""
    try:
        data = path.read_bytes()
    except OSError as err:
        raise KiemkeError(
            _("the installer cannot be read: {reason}").format(reason=err.strerror or err),
            where=str(path),
            remedy=_("make it by “make packages” in kiemke's source, or name it by --msi FILE"),
        ) from err
    if not data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):  # OLE compound file, [MS-CFB] 2.2
        raise KiemkeError(
            _("this is no Windows installer"),
            where=str(path),
            remedy=_("make it by “make packages” in kiemke's source, or name it by --msi FILE"),
        )
    return data


def check_key(text: str) -> str:
    """Return a public key, 64 hex digits. Raises KiemkeError."""
    key = text.strip().lower()
    if re.fullmatch(r"[0-9a-f]{64}", key) is None:
        raise KiemkeError(
            _("this is no key of releases: {text}").format(text=text[:80]),
            remedy=_("give the 64 digits that “kiemke update key” printed"),
        )
    return key


def content(
    unit: Record, people: Iterable[Record], token: Record, until: str, keys: Sequence[str] = ()
) -> dict[str, bytes]:
    """Return the small files of the stick by name, in the language spoken; with Windows' line ends."""
    name = text_at(unit, "name") or text_at(unit, "code") or ""
    roster = {
        "unit": name,
        "uses": token.get("uses"),
        "people": [
            {name: text_at(one, name) for name in ("code", "name", "post")} for one in people
        ],
    }
    read_me = words()["read_me"]
    told = _shipped(read_me).format(unit=name, uses=token.get("uses"), until=until)
    return {
        **scripts(),
        ENROLMENT_FILE: "".join(
            f"{line}\r\n" for line in (text_at(token, "token"), *(f"update-key {k}" for k in keys))
        ).encode("ascii"),
        ROSTER_FILE: json.dumps(roster, ensure_ascii=False, indent=1).encode(),
        read_me: _dos(told).encode("utf-8-sig"),  # Notepad of Windows 7 knows UTF-8 by its mark
    }


def words() -> dict[str, str]:
    """Return what the scripts say, in the language spoken, and what the files are called."""
    told: dict[str, str] = tomllib.loads(_shipped(WORDS))[language()]
    return told


def scripts() -> dict[str, bytes]:
    """Return what is run on a PC, by its name on the stick, in the language spoken."""
    put_in = {**words(), "language": language()}
    return {
        put_in[key]: _dos(_PUT_IN.sub(lambda found: put_in[found[1]], _shipped(one))).encode(
            "ascii"
        )
        for one, key in SCRIPTS.items()
    }


def _shipped(name: str) -> str:
    return files("kiemke.cli").joinpath("kit", name).read_text("utf-8")


def pack(installer: bytes, pieces: dict[str, bytes]) -> bytes:
    """Return the ZIP; the installer is compressed already."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(pieces.items()):
            archive.writestr(name, data)
        archive.writestr(INSTALLER.name, installer, zipfile.ZIP_STORED)
    return out.getvalue()


def _dos(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")
