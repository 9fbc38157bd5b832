"""An empty import template as a file: XLSX with a guide and drop-down lists, or CSV for Excel."""

import csv
import io

import xlsxwriter

from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.templates import TEMPLATES, Column, Template

FORMATS = ("xlsx", "csv")
_ROWS_PREPARED = 2_000  # how far down the text format and the lists reach
_NOTES = {
    "text": Words("chữ", "text"),
    "code": Words("mã, giữ số 0 ở đầu", "a code, leading zeros kept"),
    "codes": Words("các mã cách nhau bằng dấu ;", "codes separated by ;"),
    "phone": Words("số điện thoại", "a phone number"),
    "date": Words("ngày dd/MM/yyyy", "a day, dd/MM/yyyy"),
    "year_or_date": Words("năm hoặc ngày dd/MM/yyyy", "a year, or a day dd/MM/yyyy"),
    "money": Words("số tiền", "an amount of money"),
    "integer": Words("số nguyên", "a whole number"),
    "choice": Words("chọn trong danh sách", "chosen from a list"),
    "choices": Words("chọn trong danh sách, cách nhau bằng dấu ;", "from a list, separated by ;"),
    "mbps": Words("số Mbps", "Mbit/s"),
    "percent": Words("phần trăm", "a percentage"),
    "flag": Words("có hoặc không", "yes or no"),
    "addresses": Words("các địa chỉ cách nhau bằng dấu ;", "addresses separated by ;"),
}
_GUIDE = (
    Words("Cột", "Column"), Words("Bắt buộc", "Required"), Words("Kiểu", "Type"),
    Words("Hướng dẫn", "Help"), Words("Ví dụ", "Example"), Words("Danh sách", "List"),
)  # fmt: skip


def heading(column: Column, language: str) -> str:
    """Return a column's heading in both languages, the reader's own first."""
    words = column.heading
    if words.vi == words.en:
        return words.vi
    first, second = (words.en, words.vi) if language == "en" else (words.vi, words.en)
    return f"{first} / {second}"


def write_template(name: str, format_: str = "xlsx", language: str = "vi") -> bytes:
    """Return the template ``name`` as a file. Raises KeyError for an unknown name or format."""
    template = TEMPLATES[name]
    return {"xlsx": _xlsx, "csv": _csv}[format_](template, language)


def _csv(template: Template, language: str) -> bytes:
    """UTF-8 with its mark and CRLF, as Excel wants it; the heading row only."""
    out = io.StringIO(newline="")
    csv.writer(out).writerow([heading(column, language) for column in template.columns])
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def _xlsx(template: Template, language: str) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = xlsxwriter.Workbook(out, options)
    title = template.title.say(language)[:31]
    rows = workbook.add_worksheet(title)
    guide = workbook.add_worksheet(Words("Hướng dẫn", "Guide").say(language))
    lists = workbook.add_worksheet(Words("Danh sách", "Lists").say(language))
    bold = workbook.add_format({"bold": True, "text_wrap": True, "bottom": 1, "num_format": "@"})
    needed = workbook.add_format(
        {"bold": True, "text_wrap": True, "bottom": 1, "num_format": "@", "bg_color": "#FFE699"}
    )
    text = workbook.add_format({"num_format": "@"})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    for position, column in enumerate(template.columns):
        # Text cells keep leading zeros and stop Excel from guessing at dates.
        rows.set_column(position, position, max(14, len(column.heading.vi) + 4), text)
        rows.write_string(
            0, position, heading(column, language), needed if column.required else bold
        )
        if not _has_list(column):
            rows.data_validation(1, position, _ROWS_PREPARED, position, _rule(column, language))
            continue
        _write_list(rows, lists, position, column, language)
    rows.freeze_panes(1, 0)
    guide.set_column(0, 2, 22)
    guide.set_column(3, 5, 48)
    for position, words in enumerate(_GUIDE):
        guide.write_string(0, position, words.say(language), bold)
    for line, column in enumerate(template.columns, 1):
        for position, cell in enumerate(_guide_row(column, language)):
            guide.write_string(line, position, cell, wrapped)
    lists.hide()
    workbook.close()
    return out.getvalue()


def _rule(column: Column, language: str) -> dict[str, object]:
    """Return a rule that only shows the column's help when one of its cells is chosen."""
    return {
        "validate": "any",
        "input_title": column.heading.say(language)[:32],
        "input_message": column.help.say(language)[:255],
    }


def _has_list(column: Column) -> bool:
    return column.type == "choice" and column.choices is not None


def _write_list(
    rows: xlsxwriter.worksheet.Worksheet,
    lists: xlsxwriter.worksheet.Worksheet,
    position: int,
    column: Column,
    language: str,
) -> None:
    """Give a column of choices its drop-down list, kept in a hidden sheet."""
    words = [choice.say(language) for choice in (column.choices or {}).values()]
    for line, word in enumerate(words):
        lists.write_string(line, position, word)
    letter = xlsxwriter.utility.xl_col_to_name(position)
    sheet = lists.get_name()
    rows.data_validation(
        1,
        position,
        _ROWS_PREPARED,
        position,
        {
            **_rule(column, language),
            "validate": "list",
            "source": f"='{sheet}'!${letter}$1:${letter}${len(words)}",
            # Other spellings are understood as well, so Excel only warns.
            "error_type": "warning",
        },
    )


def _guide_row(column: Column, language: str) -> tuple[str, ...]:
    choices = (column.choices or {}).values()
    return (
        heading(column, language),
        Words("có", "yes").say(language) if column.required else "",
        _NOTES[column.type].say(language),
        column.help.say(language),
        column.example,
        ", ".join(choice.say(language) for choice in choices),
    )
