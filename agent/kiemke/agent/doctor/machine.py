"""Checks of this machine: is it enrolled, may it read and write, is there room, does the service run."""

import os
import shutil
import sys
from datetime import datetime
from pathlib import Path

from kiemke.agent.aside import explain
from kiemke.agent.commands.status import (
    COPIED,
    START,
    TOKEN_WAITS,
    WELL,
    late_after,
    moment,
    waits_for_its_start,
)
from kiemke.agent.doctor.result import BAD, GOOD, ODD, UNKNOWN, Result
from kiemke.agent.files import StateError, is_missing
from kiemke.agent.state import IDENTITY_FILE, AgentIdentity, StateFolder
from kiemke.agent.tongue import in_tongue
from kiemke.agent.words import Both, span, speak
from kiemke.wire.outbox_store import peek

LEAST_FREE_BYTES = 20 << 20
FEW_FREE_BYTES = 200 << 20
MANY_WAITING = 1000
SMBIOS_TABLE = Path("/sys/firmware/dmi/tables/DMI")

_RUN_AS_ROOT = Both(
    "chạy lệnh này bằng root (Windows: quản trị viên)",
    "run this as root (Windows: as administrator)",
)
_ENROL = Both("xin mã của quản trị viên: kiemke-agent enroll MÃ", "kiemke-agent enroll TOKEN")


def check_enrolment(folder: StateFolder) -> tuple[Result, AgentIdentity | None]:
    """Return whether this install has a server, and who it is."""
    try:
        identity = folder.identity()
    except StateError as err:
        return Result("enrolment", BAD, in_tongue(str(err))), None  # it says what to do
    if identity is None or identity.source is None:
        said = folder.status()
        seen = speak(Both("chưa ghi danh", "not enrolled"))
        if said.get("outcome") == "copied":
            seen = speak(COPIED, source=said.get("detail", ""))
        elif said.get("outcome") == "enrolling":
            seen += f": {in_tongue(said.get('detail', ''))}"
        elif waits_for_its_start(folder):
            return Result("enrolment", ODD, speak(TOKEN_WAITS, start=START)), identity
        return Result("enrolment", BAD, seen, speak(_ENROL)), identity
    if not identity.secret:
        seen = speak(Both("bí mật niêm phong cho dịch vụ", "its secret is sealed for the service"))
        return Result("enrolment", GOOD, seen), identity
    seen = speak(Both("nguồn {id}", "source {id}"), id=identity.source)
    word = folder.status().get("aside")
    if word is not None:
        meaning, remedy = explain(word, identity.source)
        return Result("enrolment", BAD, f"{seen}. {meaning}", remedy), identity
    return Result("enrolment", GOOD, seen), identity


def check_rights(folder: StateFolder) -> Result:
    """Return whether the folder is ours alone and can be written, and serials can be read."""
    if is_missing(folder.path):
        seen = speak(Both("chưa có {dir}", "there is no {dir} yet"), dir=folder.path)
        return Result("rights", UNKNOWN, seen)
    if not os.access(folder.path, os.W_OK | os.X_OK):
        seen = speak(Both("không ghi được {dir}", "{dir} cannot be written"), dir=folder.path)
        return Result("rights", BAD, seen, speak(_RUN_AS_ROOT))
    if sys.platform == "win32":
        if (found := _check_owner(folder.path)) is not None:
            return found
    else:
        for file in (folder.path, folder.path / IDENTITY_FILE):
            if file.exists() and file.stat().st_mode & 0o077:
                seen = speak(
                    Both("người khác đọc được {file}", "others may read {file}"), file=file
                )
                remedy = "chmod " + ("700" if file.is_dir() else "600") + f" {file}"
                return Result("rights", BAD, seen, remedy)
        if SMBIOS_TABLE.exists() and not os.access(SMBIOS_TABLE, os.R_OK):
            seen = speak(
                Both("không đọc được số sê-ri của máy", "the machine's serials cannot be read")
            )
            return Result("rights", ODD, seen, speak(_RUN_AS_ROOT))
    return Result("rights", GOOD, speak(Both("thư mục {dir}", "folder {dir}"), dir=folder.path))


def _check_owner(path: Path) -> Result | None:
    """Return what is wrong with whose the folder is, None when nothing is. Windows only."""
    # Windows alone has these.
    from kiemke.agent.service.entry import SERVICE_NAME
    from kiemke.wire.windows_service import owner

    try:
        found = owner.stranger(path, owner.trusted(SERVICE_NAME))
    except OSError as err:
        return Result("rights", UNKNOWN, f"{path}: {err.strerror or err}", speak(_RUN_AS_ROOT))
    if found is None:
        return None
    file, whose = found
    if whose == "link":
        seen = speak(
            Both("{file} là liên kết dẫn đi nơi khác", "{file} is a link to elsewhere"), file=file
        )
    else:
        seen = speak(
            Both("{file} thuộc về người khác ({sid})", "{file} belongs to somebody else ({sid})"),
            file=file, sid=whose,
        )  # fmt: skip
    remedy = speak(
        Both(
            "chạy bằng quản trị viên: kiemke-agent setup; thư mục này được cất riêng và lập mới, rồi ghi danh lại",
            "run as administrator: kiemke-agent setup; it sets this folder aside and makes a new one; then enrol again",
        )
    )
    return Result("rights", BAD, seen, remedy)


def check_disk(folder: StateFolder) -> Result:
    """Return how much room the folder's volume has."""
    try:
        free = shutil.disk_usage(folder.path).free
    except OSError as err:
        return Result("disk", UNKNOWN, in_tongue(f"{folder.path}: {err.strerror or err}"))
    seen = speak(Both("còn trống {mb} MB", "{mb} MB free"), mb=free >> 20)
    remedy = speak(
        Both(
            "giải phóng ổ đĩa chứa {dir}: báo cáo chờ gửi nằm ở đó",
            "free some room where {dir} is: reports wait there",
        ),
        dir=folder.path,
    )
    if free < LEAST_FREE_BYTES:
        return Result("disk", BAD, seen, remedy)
    return (
        Result("disk", ODD, seen, remedy) if free < FEW_FREE_BYTES else Result("disk", GOOD, seen)
    )


def _closed(folder: StateFolder, check: str) -> Result | None:
    """Return a check's result where this account may not look into the folder, None where it may."""
    if is_missing(folder.path) or os.access(folder.path, os.R_OK | os.X_OK):
        return None
    seen = speak(Both("không đọc được {dir}", "{dir} cannot be read"), dir=folder.path)
    return Result(check, UNKNOWN, seen, speak(_RUN_AS_ROOT))


def check_outbox(folder: StateFolder) -> Result:
    """Return what waits, what the server refused, and whether a broken outbox lies aside."""
    if (closed := _closed(folder, "outbox")) is not None:
        return closed
    if not folder.outbox_path.exists():
        return Result("outbox", UNKNOWN, speak(Both("chưa có", "none yet")))
    counts = peek(folder.outbox_path)
    if counts is None:
        seen = speak(
            Both("{file} không đọc được", "{file} cannot be read"), file=folder.outbox_path
        )
        remedy = speak(
            Both(
                "chạy bằng root; hộp gửi hỏng được dịch vụ tự cất riêng và lập hộp mới",
                "run this as root; a broken one is set aside by the service, which begins another",
            )
        )
        return Result("outbox", BAD, seen, remedy)
    told = speak(Both("{n} báo cáo chờ gửi", "{n} reports wait"), n=counts.reports)
    if counts.dead:
        told += speak(Both("; {n} bị từ chối", "; {n} were refused"), n=counts.dead)
    aside = len(list(folder.path.glob(f"{folder.outbox_path.name}.broken-*")))
    if aside:
        told += speak(Both("; có hộp gửi hỏng cất riêng", "; a broken outbox was set aside"))
    if counts.reports > MANY_WAITING:
        remedy = speak(
            Both("xem các dòng về đường truyền dưới đây", "see the lines about the network below")
        )
        return Result("outbox", ODD, told, remedy)
    return Result("outbox", ODD if counts.dead or aside else GOOD, told)


def check_service(folder: StateFolder, now: datetime) -> Result:
    """Return whether the service did anything of late."""
    if (closed := _closed(folder, "service")) is not None:
        return closed
    said = folder.status()
    tried = moment(said.get("tried_at"))
    if tried is None:
        seen = speak(Both("chưa chạy lần nào", "it has not run yet"))
        return Result("service", BAD, seen, START)
    ago = (now - tried).total_seconds()
    seen = speak(Both("hoạt động {span} trước", "was at work {span} ago"), span=span(ago))
    if abs(ago) > late_after(said).total_seconds():
        return Result("service", BAD, seen, START)
    if said.get("outcome") not in WELL:
        why = in_tongue(said.get("detail") or said.get("outcome") or "")
        return Result("service", ODD, f"{seen}: {why}")
    return Result("service", GOOD, seen)
