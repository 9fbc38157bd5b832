"""Names of people who do not exist: Vietnamese name parts by their weights, accounts made of them."""

import random
import unicodedata
from collections import Counter

# Family names and how often they come, per thousand; the rest is spread over the last ones.
FAMILY_NAMES = {
    "Nguyễn": 380, "Trần": 110, "Lê": 95, "Phạm": 70, "Hoàng": 50, "Phan": 45, "Vũ": 40,
    "Đặng": 20, "Bùi": 20, "Đỗ": 14, "Ngô": 13, "Dương": 10, "Lý": 5, "Đinh": 40, "Lương": 38,
    "Mai": 30, "Tô": 20,
}  # fmt: skip
MEN_MIDDLE = ("Văn", "Đức", "Hữu", "Minh")
WOMEN_MIDDLE = ("Thị", "Thu", "Ngọc", "Thanh")
MEN_GIVEN = ("An", "Ân", "Bình", "Dũng", "Đạt", "Đức", "Giang", "Hùng", "Tuấn", "Ước")
WOMEN_GIVEN = (
    "An", "Ánh", "Chi", "Giang", "Hà", "Hòa", "Hương", "Lan", "Oanh", "Ơn", "Quỳnh", "Thủy", "Yến",
)  # fmt: skip


def draw_name(chance: random.Random) -> str:
    """Return a full name, family name first, in NFC."""
    family = chance.choices(list(FAMILY_NAMES), list(FAMILY_NAMES.values()))[0]
    if chance.random() < 0.5:
        return f"{family} {chance.choice(MEN_MIDDLE)} {chance.choice(MEN_GIVEN)}"
    return f"{family} {chance.choice(WOMEN_MIDDLE)} {chance.choice(WOMEN_GIVEN)}"


def plain_letters(text: str) -> str:
    """Return the text in small letters without accents; đ becomes d."""
    parts = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(c for c in parts if not unicodedata.combining(c))


class Accounts:
    """Makes account names as offices do (given name, initials), a number where one is taken."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def make(self, name: str) -> str:
        """Return "lan.nt" for Nguyễn Thị Lan, "lan.nt2" for the second one."""
        *others, given = plain_letters(name).split()
        base = f"{given}.{''.join(part[0] for part in others)}"
        self._taken[base] += 1
        count = self._taken[base]
        return base if count == 1 else f"{base}{count}"
