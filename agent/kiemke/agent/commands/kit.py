"""`kiemke-agent kit FOLDER`: the questions of an installation from a USB stick.

Its script (``CAI-DAT.cmd``, ``INSTALL.cmd``) calls it once the installer is through, with KIEMKE_LANG set to the
kit's language, whatever this Windows speaks. Console output is Unicode whatever the PC's
code page, so the questions have their diacritics; the .cmd itself stays within ASCII.
"""

import json
import socket
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiemke.agent.claim import save_claim
from kiemke.agent.enrolment_file import EnrolmentFile, parse_enrolment, trust_keys
from kiemke.agent.files import StateError
from kiemke.agent.pending import leave_token
from kiemke.agent.service.entry import SERVICE_NAME
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import say
from kiemke.agent.tongue import in_tongue
from kiemke.agent.words import Both, speak
from kiemke.wire import enrolment
from kiemke.wire.claim import ClaimedHolder
from kiemke.wire.clean import clean_text

ROSTER_FILE = "danh-sach.json"
ENROLMENT_FILE = "enrolment.txt"
DONE_FILE = Both("DA-CAI.txt", "INSTALLED.txt")
ARRIVAL_SECONDS = 90.0
LOOK_SECONDS = 0.5
MOST_SHOWN = 40
Ask = Callable[[str], str]

UNIT = Both("Đơn vị: {unit}", "Office: {unit}")
ASK_TAG = Both("Số tem? (Enter: không có) ", "Sticker number? (Enter: none) ")
NOT_DONE = Both(
    "CHƯA XONG: đã cài nhưng máy chủ chưa nhận được báo cáo. {why}",
    "NOT DONE: installed, but the server has heard nothing yet. {why}",
)
CHECK = Both(
    "Kiểm tra dây mạng và ngày giờ của máy; máy sẽ tự thử lại. Gọi người quản trị nếu vẫn vậy.",
    "Check the network cable and this PC's date and time; it tries again by itself. If it stays so, call the administrator.",
)
DONE = Both(
    "XONG: máy này đã báo về máy chủ. Có thể rút USB.",
    "DONE: this PC has reported to the server. You may take the USB stick out.",
)
ASK_HOLDER = Both(
    "Máy này ai dùng? (số, hoặc một phần tên; Enter: bỏ qua) ",
    "Who uses this PC? (the number, or part of the name; Enter: skip) ",
)
ASK_AS_TYPED = Both(
    "  Không có “{name}” trong danh sách. Ghi đúng như vậy? (c/K) ",
    "  “{name}” is not on the list. Take it as typed? (y/N) ",
)
YES = ("c", "co", "y", "yes")
MORE = Both(
    "  … và {n} người nữa: gõ một phần tên", "  … and {n} people more: type part of the name"
)
USED_UP = Both(
    "Bộ cài đã dùng hết lượt: tệp ghi danh trên USB đã được xóa.",
    "The kit is used up: its enrolment file was deleted from the stick.",
)
NOT_NOTED = Both(
    "Không ghi được lên USB ({why}): tự xóa {file} khi cài xong.",
    "The stick cannot be written ({why}): delete {file} yourself once all PCs are done.",
)


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the roster."""

    code: str
    name: str
    post: str


@dataclass(frozen=True, slots=True)
class Roster:
    """Whose PCs the stick is for, how many it admits, and who works there."""

    unit: str
    uses: int | None
    people: tuple[Person, ...]


def _ask(question: str) -> str:
    """Return one line from the console, "" at its end."""
    try:
        return input(question)
    except EOFError:
        return ""


def _now() -> datetime:
    return datetime.now().astimezone()


def run(state: Path, kit: Path, ask: Ask = _ask) -> int:
    """Ask, enrol and wait until the server has heard; return 0, or 1 after a sentence that says why.

    Raises StateError when the stick or the agent's folder cannot be used.
    """
    roster = read_roster(kit)
    folder = StateFolder(state)
    folder.prepare()
    say("\n" + speak(UNIT, unit=roster.unit))
    person, name = ask_holder(roster.people, ask)
    tag = clean_text(ask(speak(ASK_TAG)), 100) or None
    if person or name or tag:
        holder, code = (person.name, person.code) if person else (name, None)
        save_claim(folder.path, ClaimedHolder(holder, code, tag, _now().date().isoformat()))
    known = folder.identity()
    is_new = known is None or known.source is None
    if is_new or (kit / ENROLMENT_FILE).exists():
        given = _enrolment(kit)
        enrolment.parse_token(given.token)
        trust_keys(folder.path, given.keys)
        if is_new:
            leave_token(folder.path, given.token)
    began = _now()
    _restart_service()
    refusal = wait_for_arrival(folder, began)
    if refusal is not None:
        say("\n" + speak(NOT_DONE, why=in_tongue(refusal)))
        say(speak(CHECK))
        return 1
    note_done(kit, roster)
    say("\n" + speak(DONE))
    return 0


def read_roster(kit: Path) -> Roster:
    """Return the roster of the stick. Raises StateError."""
    file = kit / ROSTER_FILE
    try:
        raw = json.loads(file.read_text("utf-8-sig"))
        people = tuple(
            Person(str(one["code"]), str(one["name"]), str(one.get("post") or ""))
            for one in raw["people"]
        )
        uses = raw.get("uses")
        return Roster(str(raw["unit"]), uses if isinstance(uses, int) else None, people)
    except OSError as err:
        raise StateError(f"{file}: {err.strerror or err}; make the kit again") from err
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise StateError(f"{file}: damaged ({err}); make the kit again") from err


def ask_holder(people: tuple[Person, ...], ask: Ask) -> tuple[Person | None, str | None]:
    """Return who is said to use the PC: of the roster, or a name that was typed, or neither."""
    _show(people)
    while answer := clean_text(ask(speak(ASK_HOLDER)), 200):
        if answer.isdecimal() and 1 <= int(answer) <= len(people):
            return people[int(answer) - 1], None
        found = find(people, answer)
        if len(found) == 1:
            say(f"  {found[0].name} – {found[0].post or found[0].code}")
            return found[0], None
        if found:
            _show(people, found)
        elif fold(ask(speak(ASK_AS_TYPED, name=answer))) in YES:
            return None, answer
    return None, None


def find(people: tuple[Person, ...], text: str) -> list[Person]:
    """Return whom a part of a name or a code means: whole words first ("an" is no "Trần")."""
    asked = fold(text)
    told = [(one, fold(f"{one.name} {one.code}")) for one in people]
    whole = [one for one, words in told if set(asked.split()) <= set(words.split())]
    return whole or [one for one, words in told if asked in words]


def _show(people: tuple[Person, ...], only: list[Person] | None = None) -> None:
    """List people by their number on the roster."""
    shown = [(n, one) for n, one in enumerate(people, 1) if only is None or one in only]
    for number, one in shown[:MOST_SHOWN]:
        say(f"  {number:>3}  {one.name}{f' – {one.post}' if one.post else ''}")
    if len(shown) > MOST_SHOWN:
        say(speak(MORE, n=len(shown) - MOST_SHOWN))


def fold(text: str) -> str:
    """Return text as it compares: lower case, without diacritics."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _enrolment(kit: Path) -> EnrolmentFile:
    try:
        return parse_enrolment((kit / ENROLMENT_FILE).read_text("utf-8-sig"))
    except OSError as err:
        raise StateError(
            f"{kit / ENROLMENT_FILE}: {err.strerror or err}; the kit is used up: make another one"
        ) from err


def _restart_service() -> None:
    """Start the service anew, so that it takes up token and answer at once."""
    if sys.platform == "win32":
        for verb in ("stop", "start"):
            subprocess.run(["net", verb, SERVICE_NAME], capture_output=True, check=False)  # noqa: S603, S607


def wait_for_arrival(
    folder: StateFolder, since: datetime, patience_seconds: float = ARRIVAL_SECONDS
) -> str | None:
    """Return None once the service has posted after ``since``, else what it says in the end."""
    end = time.monotonic() + patience_seconds
    while True:
        said = folder.status()
        try:
            if datetime.fromisoformat(said["sent_at"]) >= since.replace(microsecond=0):
                return None
        except (KeyError, ValueError):
            pass
        if time.monotonic() >= end:
            return said.get("detail", "")
        time.sleep(LOOK_SECONDS)


def note_done(kit: Path, roster: Roster) -> None:
    """Note the PC on the stick; once all it admits are done, delete the enrolment file."""
    done = kit / speak(DONE_FILE)
    try:
        names = done.read_text("utf-8-sig").splitlines() if done.exists() else []
        host = socket.gethostname()
        if not any(line.split("\t")[0] == host for line in names):
            names.append(f"{host}\t{_now():%d/%m/%Y %H:%M}")
        done.write_text("\n".join(names) + "\n", "utf-8-sig")
        if roster.uses is not None and len(names) >= roster.uses:
            (kit / ENROLMENT_FILE).unlink(missing_ok=True)
            say(speak(USED_UP))
    except OSError as err:
        why = in_tongue(err.strerror or str(err))
        say(speak(NOT_NOTED, why=why, file=ENROLMENT_FILE))
