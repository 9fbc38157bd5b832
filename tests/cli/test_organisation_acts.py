"""Acts on places, officials and units: what is sent, what is shown, nothing written unasked."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.rest_server import RestServer

DESK = {"code": "TL-MC", "name": "Bộ phận Một cửa", "kind": "one_stop_desk",
        "unit": {"code": "TL", "name": "Xã Tiên Lãng"}}  # fmt: skip
PAPER = ("--ngay", "01/07/2025", "--so", "5/QĐ")


def test_a_place_is_made_by_a_paper_and_rehearsed_first(signed_in: RestServer, run: Run) -> None:
    signed_in.on("POST", "/places", {"before": None, "after": DESK, "applied": False})

    ran = run("noi", "tao", "TL-MC", "--ten", "Bộ phận Một cửa", "--unit", "TL", *PAPER)

    assert ran.code == 0, ran.err
    assert "Bộ phận Một cửa" in ran.out
    assert "Chưa ghi gì" in ran.out
    asked = signed_in.asked[0]
    assert asked.query == {"apply": "false"}
    assert json.loads(asked.body) == {
        "code": "TL-MC",
        "name": "Bộ phận Một cửa",
        "kind": "one_stop_desk",
        "unit": "TL",
        "day": "2025-07-01",
        "instrument": "5/QĐ",
    }


def test_a_change_shows_what_was_and_what_becomes(signed_in: RestServer, run: Run) -> None:
    after = DESK | {"unit": {"code": "TM", "name": "Xã Tân Minh"}}
    signed_in.on("PATCH", "/places/TL-MC", {"before": DESK, "after": after, "applied": True})

    ran = run("place", "change", "TL-MC", "--unit", "TM", *PAPER, "--apply")

    assert "Xã Tiên Lãng → Xã Tân Minh" in ran.out
    assert ran.out.splitlines()[-1] == "Đã ghi."
    assert signed_in.asked[0].query == {"apply": "true"}


def test_an_end_and_a_change_of_nothing(signed_in: RestServer, run: Run) -> None:
    signed_in.on("PATCH", "/places/TL-MC", {"before": DESK, "after": None, "applied": False})

    ended = run("noi", "ket-thuc", "TL-MC", *PAPER)
    nothing = run("place", "change", "TL-MC", *PAPER)

    assert "Kết thúc vào ngày đó." in ended.out
    assert nothing.code == 2
    assert len(signed_in.asked) == 1


STANDS: dict[str, Any] = {
    "code": "CB9",
    "persons": [],
    "memberships": [
        {"says": {"unit": {"code": "TM", "name": "Xã Tân Minh"}, "kind": "cong_chuc",
                  "post": "Kế toán", "is_primary": True, "duty": None, "ended_as": None},
         "valid_from": "2025-07-01", "valid_to": None, "instrument": "12/QĐ", "voided": False},
        {"says": {"unit": {"code": "TL", "name": "Xã Tiên Lãng"}, "kind": "cong_chuc",
                  "post": None, "is_primary": False, "duty": "it_officer", "ended_as": None},
         "valid_from": "2025-07-01", "valid_to": None, "instrument": "12/QĐ", "voided": False},
    ],
    "absences": [],
}  # fmt: skip


def test_an_official_is_moved_and_what_he_holds_is_shown(signed_in: RestServer, run: Run) -> None:
    told = {"before": None, "after": STANDS, "holds": [{"code": "TS1", "name": "Máy tính"}],
            "applied": False}  # fmt: skip
    signed_in.on("POST", "/officials/CB9/acts", told)

    ran = run("can-bo", "chuyen", "CB9", "--don-vi", "TM", *PAPER)

    assert ran.code == 0, ran.err
    for part in ("Xã Tân Minh", "phụ trách CNTT", "TS1", "tai-san ban-giao", "Chưa ghi gì"):
        assert part in ran.out
    assert json.loads(signed_in.asked[0].body) == {
        "act": "move",
        "correction": False,
        "unit": "TM",
        "day": "2025-07-01",
        "instrument": "5/QĐ",
    }


def test_an_official_is_named_by_name_too_and_his_history_tells_who_wrote_what_when(
    signed_in: RestServer, run: Run
) -> None:
    """As an asset's and a device's history does; what was corrected stands in it with --all alone."""
    told = {"recorded_by": "lan", "recorded_at": "2025-06-30T02:15:00.000Z"}
    row = told | {"says": {"reason": "study"}, "valid_from": "2025-07-01", "valid_to": None,
                  "instrument": "12/QĐ", "voided": False}  # fmt: skip
    wrong = row | {"says": {"reason": "suspended"}, "voided": True}
    signed_in.items("/officials", {"id": 9, "code": "CB9", "name": "Lê Thị Ơn"})
    signed_in.on("GET", "/officials/CB9", {"id": 9, "code": "CB9", "name": "Lê Thị Ơn"})
    signed_in.on("GET", "/officials/CB9/history", STANDS | {"absences": [wrong, row]})
    signed_in.on(
        "POST",
        "/officials/CB9/acts",
        {"before": None, "after": STANDS, "holds": [], "applied": False},
    )

    shown = run("can-bo", "lich-su", "le thi on")
    whole = run("official", "history", "CB9", "--all")
    moved = run("official", "move", "Lê Thị Ơn", "--unit", "TM", *PAPER)

    assert (shown.code, whole.code, moved.code) == (0, 0, 0), shown.err + whole.err + moved.err
    assert "CB9" in moved.out
    assert "09:15" in shown.out and "lan" in shown.out and "đình chỉ" not in shown.out
    assert "đình chỉ" in whole.out


def test_every_act_on_an_official_sends_its_own_words(signed_in: RestServer, run: Run) -> None:
    told: dict[str, object] = {"before": None, "after": STANDS, "holds": [], "applied": True}
    signed_in.on("POST", "/officials/CB9/acts", told)
    lines = (
        ("change", "--mailbox", "", "--correct"),
        ("post", "--post", "Trưởng phòng"),
        ("duty", "--unit", "TL", "--duty", "it_officer"),
        ("duty", "--unit", "TL", "--end"),
        ("leave",),
        ("retire",),
        ("absent", "--reason", "study", "--until", "01/09/2025"),
        ("back",),
    )
    for verb, *words in lines:
        ran = run("official", verb, "CB9", *words, *PAPER, "--apply", "--json")
        assert ran.code == 0, ran.err
    sent = [json.loads(asked.body) for asked in signed_in.asked]
    for body in sent:
        assert body.pop("day") == "2025-07-01" and body.pop("instrument") == "5/QĐ"

    assert sent == [
        {"act": "change", "correction": True, "mailbox": ""},
        {"act": "post", "correction": False, "post": "Trưởng phòng"},
        {"act": "second", "unit": "TL", "duty": "it_officer"},
        {"act": "end_second", "unit": "TL"},
        {"act": "leave"},
        {"act": "retire"},
        {"act": "absent", "reason": "study", "until": "2025-09-01"},
        {"act": "back"},
    ]


def test_an_official_is_made_only_with_a_unit_and_a_kind(signed_in: RestServer, run: Run) -> None:
    signed_in.on(
        "POST", "/officials", {"before": None, "after": STANDS, "holds": [], "applied": False}
    )

    incomplete = run("official", "create", "CB9", "--name", "Lê Thị Ơn", *PAPER)
    whole = run(
        "official", "create", "CB9", "--name", "Lê Thị Ơn", "--unit", "TL", "--kind", "can_bo",
        *PAPER,
    )  # fmt: skip

    assert (incomplete.code, whole.code) == (2, 0), whole.err
    assert json.loads(signed_in.asked[0].body)["name"] == "Lê Thị Ơn"


UNIT = {"code": "TM", "name": "Xã Tân Minh", "type": "xa"}
DIFF: dict[str, Any] = {
    "before": {"as_of": "2025-12-31", "known_at": "2026-01-05T17:00:00Z", "officials": 2,
               "states": {"no_pc": 1, "verified": 1}},
    "after": {"as_of": "2025-12-31", "known_at": "2026-03-05T17:00:00Z", "officials": 1,
              "states": {"verified": 1}},
    "entries": [
        {"what": "membership", "act": "voided", "late": True, "at": "2026-02-01T02:00:00Z",
         "who": "lan", "instrument": "3/QĐ", "valid_from": "2020-01-01", "valid_to": None,
         "moved": [{"official": {"code": "CB9", "name": "Lê Thị Ơn"}, "before": "no_pc",
                    "after": "outside"}]}
    ],
    "by_evidence": [],
}  # fmt: skip


def test_a_figure_that_reads_otherwise_now_names_the_late_entry(
    signed_in: RestServer, run: Run
) -> None:
    signed_in.on("GET", "/coverage/diff", DIFF)

    ran = run(
        "ty-le", "so-sanh", "--ngay", "31/12/2025", "--known-at", "05/01/2026", "--and", "now",
    )  # fmt: skip

    assert ran.code == 0, ran.err
    assert "Lê Thị Ơn: thiếu máy → ngoài danh sách" in ran.out
    for part in ("lan", "3/QĐ", "hủy", "2 cán bộ", "1 cán bộ"):
        assert part in ran.out
    asked = signed_in.asked[0].query
    assert (asked["as_of"], asked["known_at"]) == ("2025-12-31", "2026-01-06T00:00:00+07:00")


def test_a_roster_read_late_is_told_by_its_first_rows_and_how_many_more(
    signed_in: RestServer, run: Run
) -> None:
    """Units are looked up as known now: before, nobody had said that they were."""
    entry: dict[str, Any] = DIFF["entries"][0]
    many = {**entry, "moved": entry["moved"] * 30}
    before = {**DIFF["before"], "officials": 0, "states": {}}
    signed_in.on(
        "GET", "/coverage/diff", {**DIFF, "before": before, "entries": [many] + [entry] * 99}
    )
    signed_in.on("GET", "/units/TM", UNIT)

    ran = run(
        "coverage", "diff", "--unit", "TM", "--as-of", "31/12/2025", "--known-at", "05/01/2026"
    )

    assert ran.code == 0, ran.err
    assert "… và 10 mục nữa" in ran.out
    assert "… và 40 mục nữa" in ran.out
    assert ": 0 cán bộ\n" in ran.out
    assert "known_at" not in signed_in.asked[0].query


FORETOLD = {
    "created": [{"code": "TM", "name": "Xã Tân Minh", "type": "xa"}], "ended": [], "changed": [],
    "moved": [
        {"what": what, "code": f"X{n}", "name": "x", "from": {"code": "A", "name": "A"},
         "to": {"code": "TM", "name": "Xã Tân Minh"}}
        for n, what in enumerate(("official", "official", "asset", "source", "place"))
    ],
    "targets_ended": 0, "applied": False,
}  # fmt: skip


def test_units_are_made_retyped_and_ended_by_a_decision(signed_in: RestServer, run: Run) -> None:
    signed_in.on("POST", "/reorganisations", FORETOLD)

    made = run(
        "don-vi", "tao", "TM", "--ten", "Xã Tân Minh", "--loai", "xa", "--thuoc", "HP", *PAPER
    )
    retyped = run("unit", "retype", "TL", "QT", "--type", "phuong", *PAPER)
    ended = run("unit", "end", "H", *PAPER, "--apply")
    sent = [json.loads(asked.body) for asked in signed_in.asked]

    assert (made.code, retyped.code, ended.code) == (0, 0, 0), made.err + retyped.err + ended.err
    assert "cán bộ 2, tài sản 1" in made.out
    assert sent[0]["new"] == [{"code": "TM", "name": "Xã Tân Minh", "type": "xa", "parent": "HP"}]
    assert [body.get("changes") for body in sent] == [
        None,
        [{"kind": "retype", "units": ["TL", "QT"], "type": "phuong"}],
        [{"kind": "end", "units": ["H"]}],
    ]
    assert [asked.query["apply"] for asked in signed_in.asked] == ["false", "false", "true"]


def test_coverage_is_asked_on_the_tree_of_another_day(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/coverage/recast", {"items": [], "total": 0, "next": None})
    signed_in.on("GET", "/units/TM", UNIT)

    today = run("coverage", "show", "--as-of", "31/12/2024", "--tree", "today")
    day = run("ty-le", "xem", "--ngay", "31/12/2024", "--cay", "01/07/2025", "--unit", "TM")
    asked = [one.query for one in signed_in.asked]

    assert (today.code, day.code) == (0, 0), today.err + day.err
    assert (asked[0]["as_of"], "tree" in asked[0]) == ("2024-12-31", False)
    assert asked[1] == {"as_of": "2025-07-01"}  # a unit of that day's tree
    assert (asked[2]["tree"], asked[2]["unit"]) == ("2025-07-01", "TM")


@pytest.mark.parametrize(
    "words",
    [("coverage",), ("official", "list"), ("asset", "list"), ("reconcile",), ("norm", "list")],
)
def test_a_unit_that_ended_since_is_found_on_the_day_asked_for(
    signed_in: RestServer, run: Run, words: tuple[str, ...]
) -> None:
    noun = {"official": "/officials", "asset": "/assets", "norm": "/norms"}
    signed_in.on("GET", noun.get(words[0], f"/{words[0]}"), {"items": [], "total": 0, "next": None})
    signed_in.on("GET", "/units/TM", UNIT)

    ran = run(*words, "--unit", "TM", "--as-of", "30/06/2025", "--known-at", "05/07/2025")

    assert ran.code == 0, ran.err
    first = signed_in.asked[0]
    assert (first.path.endswith("/units/TM"), first.query["as_of"]) == (True, "2025-06-30")
    assert "known_at" in first.query


def test_a_split_unit_on_a_later_tree_stands_apart_from_its_namesake(
    signed_in: RestServer, run: Run
) -> None:
    rows: list[dict[str, object]] = [
        {"unit": UNIT, "kinds": [], "day": "2024-12-31", "ended": ended,
         "subtree": {"officials": n, "no_pc": 1}, "coverage": {"verified": 0}}
        for ended, n in (("2025-07-01", 20), (None, 80))
    ]  # fmt: skip
    signed_in.on("GET", "/coverage/recast", {"items": rows, "total": 2, "next": None})

    ran = run("coverage", "show", "--as-of", "31/12/2024", "--tree", "today", "--wide")

    assert ran.code == 0, ran.err
    assert "Xã Tân Minh, kết thúc 01/07/2025  19/20" in ran.out
    assert "tất cả" not in ran.out.replace("Đối tượng", "").split("79/80")[0].split("19/20")[0]


def test_an_act_whose_answer_never_came_may_have_been_done(signed_in: RestServer, run: Run) -> None:
    signed_in.on("POST", "/reorganisations", {}, cut=True)
    move = (
        "unit",
        "move",
        "TM",
        "--under",
        "HP",
        "--day",
        "01/07/2025",
        "--paper",
        "5/QĐ",
        "--apply",
    )

    ran = run(*move)

    assert ran.code == 1
    assert "kết nối đứt trước khi máy chủ trả lời" in ran.err
    assert "chưa rõ việc đã làm xong chưa" in ran.err


UNDO: dict[str, Any] = {
    "decision": {"number": 812, "day": "2025-07-01", "instrument": "12/QĐ", "who": "binh"},
    "vanished": [{"code": "MOI", "name": "Phòng mới"}],
    "revived": [{"code": "TL", "name": "Xã Tiên Lãng"}],
    "changed": [],
    "moved": [{"what": "official", "code": "CB9", "name": "An",
               "from": {"code": "MOI", "name": "Phòng mới"},
               "to": {"code": "TL", "name": "Xã Tiên Lãng"}}],
    "stays": [{"what": "source", "code": "s1", "name": "pc-1", "at": {"code": "TM", "name": "T"}}],
    "again": [{"what": "official", "code": "CB7", "name": "Bình"}],
    "targets": 1, "undated_known": True, "hindrances": [], "applied": False,
}  # fmt: skip


def test_a_decision_is_taken_back_with_a_reason_and_rehearsed_first(
    signed_in: RestServer, run: Run
) -> None:
    signed_in.on("POST", "/reorganisations/812/undo", UNDO)

    ran = run("don-vi", "go", "812", "--ly-do", "nhập nhầm")

    assert ran.code == 0, ran.err
    for part in ("12/QĐ", "01/07/2025", "MOI Phòng mới", "TL Xã Tiên Lãng", "cán bộ 1",
                 "cán bộ CB7 Bình", "pc-1"):  # fmt: skip
        assert part in ran.out
    assert ran.out.splitlines()[-1].startswith("Chưa ghi gì")
    assert signed_in.asked[0].query == {"apply": "false"}
    assert json.loads(signed_in.asked[0].body) == {"reason": "nhập nhầm", "instrument": None}


def test_what_is_in_the_way_is_told_in_its_order_with_what_to_type(
    signed_in: RestServer, run: Run
) -> None:
    later = {"number": 901, "at": "2026-01-05T04:00:00Z", "who": "an", "act": "unit.reorganise",
             "subject": "decision:14/QĐ", "instrument": "14/QĐ", "why": ["TO thuộc MOI."],
             "undo": True}  # fmt: skip
    by_hand = later | {"number": 850, "act": "official.leave", "subject": "official:CB9",
                       "undo": False}  # fmt: skip
    told = UNDO | {"hindrances": [later, by_hand], "undated_known": False}
    signed_in.on("POST", "/reorganisations/812/undo", told)

    ran = run("unit", "undo", "812", "--reason", "x")

    assert ran.code == 1
    lines = ran.out.splitlines()
    assert "   → kiemke unit undo 901 --reason …" in lines
    assert "   → kiemke audit list --about official:CB9" in lines
    assert "Chưa ghi gì" not in ran.out
    assert "phiên bản cũ" in ran.out


def test_decisions_are_listed_by_number(signed_in: RestServer, run: Run) -> None:
    one = {"number": 812, "at": "2026-01-05T04:00:00Z", "who": "binh", "day": "2025-07-01",
           "instrument": "12/QĐ", "created": ["MOI"], "ended": ["TL", "KN"], "undone": None,
           "undone_by": 830}  # fmt: skip
    signed_in.on("GET", "/reorganisations", {"items": [one], "total": 1, "next": None})

    ran = run("don-vi", "quyet-dinh")

    assert ran.code == 0, ran.err
    for part in ("812", "12/QĐ", "01/07/2025", "830"):
        assert part in ran.out
