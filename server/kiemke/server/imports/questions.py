"""What must be answered before a file is written: a person's yes, or an option given beforehand."""

from dataclasses import dataclass

from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.options import DAY_ORDERS, Options
from kiemke.server.imports.table import Table

ENCODING_NAMES = {"tcvn3": "TCVN3", "vni": "VNI", "cp1258": "Windows-1258", "utf8": "UTF-8"}


@dataclass(frozen=True, slots=True)
class Question:
    """``about``: "map", "repair" or "days"; ``answers`` are the values of its option."""

    about: str
    message: Words
    answers: tuple[str, ...]


def open_questions(table: Table, options: Options) -> list[Question]:
    """Return the questions that the options leave open; while there is one nothing is written."""
    found: list[Question] = []
    guessed = [mapped for mapped in table.mapping if mapped.needs_a_yes]
    if guessed and "map" not in options.accept:
        found.append(Question(
            "map",
            Words(f"{len(guessed)} cột được đoán: xem lại rồi đồng ý, hoặc sửa",
                  f"{len(guessed)} columns are guessed: look at them and agree, or correct them"),
            ("map",),
        ))  # fmt: skip
    lost = sorted({repair.encoding for repair in table.repairs} - {options.repair})
    if lost and "repair" not in options.accept:
        names = ", ".join(ENCODING_NAMES[name] for name in lost)
        found.append(Question(
            "repair",
            Words(f"chữ bị mất bảng mã ({names}): so sánh trước và sau rồi đồng ý",
                  f"text lost its encoding ({names}): compare before and after, and agree"),
            (*lost, "none"),
        ))  # fmt: skip
    unclear = [heading for heading, evidence in table.days if evidence.order is None]
    if unclear and options.days is None:
        columns = ", ".join(f"“{heading}”" for heading in unclear)
        found.append(Question(
            "days",
            Words(f"{columns}: ngày hay tháng đứng trước?",
                  f"{columns}: does the day or the month stand first?"),
            DAY_ORDERS,
        ))  # fmt: skip
    return found
