"""What things are still worth on a day by their own book, and why some have no residual value in it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain.text_labels import NO_RESIDUAL
from kiemke.server.domain.wear_now import WearQuestion
from kiemke.server.domain.wear_now import load as load_wear


@dataclass(frozen=True, slots=True)
class Worth:
    """Class (None: no price), residual value in đồng, and of NO_RESIDUAL why there is none; None: there is."""

    asset_class: str | None
    residual_dong: int | None
    why_none: str | None


# Of a thing that the wear of these units does not know: borrowed or a provider's; shared with another unit.
NOT_OWNED = Worth(None, None, "not_owned")
OTHER_BOOK = Worth(None, None, "other_book")


async def load(
    session: Session, day: date, known_ms: int, units: Sequence[int]
) -> Mapping[int, Worth]:
    """Return the worth of what the units own as of a day, by asset.

    Wear is charged in December, for the whole year: before, a thing is worth what the last year left.
    """
    question = WearQuestion(day.year, day, known_ms, list(units))
    found: dict[int, Worth] = {}
    for row in await load_wear(session, question):
        residual = row.residual_dong
        if residual is not None and day.month < 12:
            residual += row.charged_dong or 0
        why = None if residual is not None else row.note or "unknown"
        found[row.asset_id] = Worth(row.asset_class, residual, why)
    return found


def say_missing(reasons: Iterable[str | None]) -> str | None:
    """Return how many things have no residual value and why, as minutes say it; None where all have one.

    ``reasons`` are of NO_RESIDUAL, one a thing; None has a value. Minutes are written in Vietnamese.
    """
    counts = Counter(reason for reason in reasons if reason is not None)
    if not counts:
        return None
    order = [code for code in NO_RESIDUAL if counts[code]]
    parts = "; ".join(f"{counts[code]} {NO_RESIDUAL[code].vi}" for code in order)
    total = sum(counts.values())
    return f"Không có giá trị còn lại, nên không tính vào tổng: {total} tài sản ({parts})."
