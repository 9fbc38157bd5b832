"""What the demo prints: tables of coverage and lines beside the truth, this machine, where to look."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.desks import Desks
from bench.stock_takes import TakeLine
from bench.truth import CoverageLine, LinkLine

MARK = "DỮ LIỆU MẪU"
LINE_COLUMNS = (
    "xuống, lên (down, up): p95 7 ngày, % hợp đồng · p95 of 7 days, % of the contract\n"
    "thông (up): % của 30 ngày · % of 30 days"
)
STATE_COLUMNS = (
    "cần, có máy (target, has a PC): % số người · % of people;\n"
    "1,0 hoặc 0,8: số máy trên một người · PCs a person\n"
    "xác minh, im lặng, mâu thuẫn, chưa khớp (verified, silent, contradicted,\n"
    "unmatched): đo được | sự thật · measured | true"
)
VERDICTS = {"healthy": "tốt", "degraded": "kém", "down": "mất kết nối", "unknown": "chưa rõ"}
REASONS = {
    "availability": "hay mất kết nối",
    "utilization_receive": "tải xuống gần đầy",
    "utilization_transmit": "tải lên gần đầy",
    "delivered_receive": "xuống thấp hơn hợp đồng",
    "delivered_transmit": "lên thấp hơn hợp đồng",
    "negotiated": "cổng chậm hơn hợp đồng",
    "half_duplex": "bán song công",
}
PLANTED = {
    "slow": "chỉ cho 0,6 hợp đồng",
    "outage": "mất 4 giờ",
    "busy_upload": "tải lên đầy mỗi chiều",
    "negotiated": "cổng 100 Mb/s bán song công",
    "silent_snmp": "thiết bị không đáp SNMP",
    "wrap": "bộ đếm 32 bit quay vòng",
    "reboot": "bộ định tuyến khởi động lại",
}
MACHINE_FIELDS = {
    "hostname": "tên máy · host name",
    "unit": "đơn vị · unit",
    "state": "trạng thái · state",
    "os": "hệ điều hành · system",
    "cpu": "bộ xử lý · processor",
    "memory_bytes": "bộ nhớ · memory",
    "last_received_at": "nghe lúc · heard from",
}
MACHINE_ROWS = {
    "disks": ("ổ đĩa · disk", ("name", "model", "serial", "size_bytes", "bus")),
    "adapters": ("cạc mạng · adapter", ("name", "mac", "kind", "addresses", "gateways")),
    "volumes": ("phân vùng · volume", ("mount_point", "file_system", "size_bytes", "free_bytes")),
}
NO_PING = (
    "This user may not ping, so nothing is known of it: "
    "sysctl net.ipv4.ping_group_range='0 2147483647'"
)
GOOD, BAD, QUIET = "green", "bold red", "dim"


def heading(console: Console, words: str) -> None:
    """Print the heading of a page, marked as sample data."""
    console.print()
    console.print(Text(f"{MARK} · {words}", style="bold"))


def _pair(seen: int | None, true: int) -> Text:
    """Return "seen|true", red where they differ."""
    shown = "?" if seen is None else str(seen)
    return Text(f"{shown}|{true}", style="" if seen == true else BAD)


def _percent(part: int, whole: int) -> str:
    """Return 100 % only for all, otherwise rounded down to 0.1 in Vietnamese digits."""
    if part == whole:
        return "100 %"
    tenths = part * 1000 // whole
    return f"{tenths // 10},{tenths % 10} %"


def show_coverage(console: Console, lines: Sequence[CoverageLine]) -> None:
    """Print each unit against its target; every state as measured | as the generator knows."""
    heading(console, "Tỷ lệ trang bị máy tính · coverage")
    console.print(Text(STATE_COLUMNS, style=QUIET))
    table = _make_table()
    for name in ("Đơn vị", "cần", "có máy"):
        table.add_column(name, no_wrap=name != "Đơn vị")
    for name in ("xác minh", "im lặng", "mâu thuẫn", "chưa khớp"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        seen: Mapping[str, int] = line.seen or {}
        have = "?" if line.seen is None else f"{line.declared}/{line.people}"
        percent = "" if line.seen is None else f" = {_percent(line.declared, line.people)}"
        wanted = "–" if line.target_percent is None else f"{line.target_percent} %"
        if line.seen_pcs is not None:  # its target is PCs per person, shared ones too
            have = f"{line.seen_pcs}/{line.people}"
            percent = f" = {_ratio(line.seen_pcs / line.people / 100)}"
            wanted = _ratio((line.target_percent or 0) / 10_000)
        table.add_row(
            Text(line.name, style="bold" if line.people > 30 else ""),
            Text(wanted),
            Text(have + percent, style=BAD if line.differs else ""),
            *(
                _pair(seen.get(state), line.true[state])
                for state in ("verified", "silent", "contradicted", "unmatched")
            ),
        )
    console.print(table)


def _make_table() -> Table:
    """Return an empty table whose columns stand so close that they fit into 80 cells."""
    return Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style=QUIET)


def _ratio(value: float | None, digits: int = 1) -> str:
    """Return a ratio as a percentage rounded down, so that 100 is said only of all."""
    if value is None:
        return "–"
    scale = 10**digits
    return f"{int(value * 100 * scale + 1e-6) / scale:.{digits}f}".replace(".", ",")


def show_links(console: Console, lines: Sequence[LinkLine]) -> None:
    """Print each Internet line's health beside what was planted; sound TSLCD lines are counted."""
    heading(console, "Sức khỏe đường truyền · health of the lines")
    console.print(Text(LINE_COLUMNS, style=QUIET))
    table = _make_table()
    for name in (
        "đường",
        "Mb/s",
        "xuống",
        "lên",
        "thông",
        "kết luận (verdict)",
        "đã gài (planted)",
    ):
        is_number = name in ("Mb/s", "xuống", "lên", "thông")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number)
    sound = 0
    for one in lines:
        seen = one.seen or {}
        if one.line.kind == "tslcd" and not one.problems:
            sound += 1
            continue
        codes = [str(reason["code"]) for reason in seen.get("reasons", ())]
        reasons = ", ".join(REASONS.get(code, code) for code in codes)
        said = str(seen.get("verdict", "?"))
        verdict = f"{VERDICTS.get(said, said)}{f': {reasons}' if reasons else ''}"
        fault = one.line.fault
        planted = None if fault is None else PLANTED.get(fault, fault)
        table.add_row(
            Text(one.line.code),
            Text(str(one.line.down_mbps)),
            Text(_ratio(seen.get("p95_receive_ratio"))),
            Text(_ratio(seen.get("p95_transmit_ratio"))),
            Text(_ratio(seen.get("availability_ratio"), 2)),
            Text(verdict, style=GOOD if not one.problems else BAD),
            Text("; ".join(filter(None, (planted, *one.problems)))),
        )
    console.print(table)
    console.print(Text(f"và {sound} đường TSLCD tốt · and {sound} sound TSLCD lines", style=QUIET))


def _plain(value: object) -> str:
    """Return a field as a person writes it: members of lists and objects side by side."""
    if isinstance(value, Mapping):
        return " ".join(map(str, value.values()))
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def show_machine(
    console: Console,
    machine: Mapping[str, Any] | None,
    link: Mapping[str, Any] | None,
    snmp_agent: str,
    *,
    may_ping: bool,
) -> None:
    """Print this machine as the server saw it, and its own network as the collector measured it."""
    heading(console, "Máy này như máy chủ thấy · this machine as the server sees it")
    for name, value in (machine or {}).items():
        if name in MACHINE_FIELDS and value is not None:
            _line(console, MACHINE_FIELDS[name], _plain(value))
    sections: Mapping[str, Mapping[str, Any]] = (machine or {}).get("sections", {})
    for name, (words, fields) in MACHINE_ROWS.items():
        for row in sections.get(name, {}).get("rows") or ():
            if row.get("kind") in ("loopback", "virtual"):
                continue
            told = (_size(key, row[key]) for key in fields if row.get(key) not in (None, [], ()))
            _line(console, words, ", ".join(told))
    if link is not None:
        rtt = link.get("round_trip_seconds")
        told_rtt = "–" if rtt is None else f"{rtt * 1000:.2f} ms".replace(".", ",")
        words = f"{link['code']}: {link['state']}, {told_rtt}, SNMP: {snmp_agent}"
        _line(console, "đường mạng · line", words)
        if not may_ping:
            console.print(Text(f"  {NO_PING}", style=QUIET))


def _line(console: Console, words: str, value: str) -> None:
    """Print a name and its value, which goes on under itself."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=28)
    table.add_column()
    table.add_row(Text(f"  {words}"), Text(value))
    console.print(table)


def _size(key: str, value: object) -> str:
    """Return a field of a section's row; octets as GiB in Vietnamese digits, rounded down."""
    if key not in ("size_bytes", "free_bytes") or not isinstance(value, int):
        return _plain(value)
    told = f"{int(value / 2**30 * 10) / 10:.1f} GiB".replace(".", ",")
    return f"còn (free) {told}" if key == "free_bytes" else told


STRANGERS = {
    "made_up": "máy bịa trên một máy · made up on one PC",
    "cloned_uuid": "máy bị sao chép · copied PCs",
    "docks": "đế cắm dùng chung · shared docks",
    "private": "máy tính riêng · private laptops",
    "not_booked": "máy không có trên sổ · on no book",
    "retired_holder": "máy của người đã nghỉ · of a retired person",
}


def show_strangers(console: Console, planted: Mapping[str, int], problems: Sequence[str]) -> None:
    """Print what was planted to be found and to count nowhere, and whether it is so."""
    heading(console, "Máy lạ đã gài · planted strangers")
    for name, count in planted.items():
        console.print(f"  {count:>3}  {STRANGERS[name]}", markup=False)
    words = (
        "Tìm thấy đủ, không máy nào được tính · all found, none counts"
        if not problems
        else f"{len(problems)} sai · wrong, e.g. {problems[0]}"
    )
    console.print(f"  {words}", markup=False, style=BAD if problems else GOOD)


DESK_ITEMS = {
    "pc": "máy tính · PC",
    "printer": "máy in · printer",
    "copier": "máy photocopy · copier",
    "scanner": "máy quét · scanner",
    "citizen_pc": "máy cho người dân · citizens' PC",
    "kiosk": "máy tra cứu · kiosk",
    "camera": "camera · camera",
}


def show_desks(console: Console, found: Desks) -> None:
    """Print how many one-stop desks have all of their checklist, and what the others lack."""
    heading(console, "Bộ phận một cửa · one-stop desks (kiemke coverage desks)")
    lacking = ", ".join(f"{DESK_ITEMS[item]} {n}" for item, n in found.lacking.items())
    console.print(
        f"  {found.complete}/{found.desks} đủ thiết bị · have all"
        + (f"; thiếu · lacking: {lacking}" if lacking else ""),
        markup=False,
    )


TAKE_LINES = {
    "missing": "thiếu · missing",
    "elsewhere": "ở nơi khác · elsewhere",
    "broken": "hỏng · broken",
    "surplus": "thừa · surplus",
    "not_expected": "không có trong danh sách · not expected",
    "unanswered": "chưa kiểm · not answered",
    "agrees": "đúng sổ · as booked",
}
TAKE_STATES = {"open": "đang mở · open", "closed": "đã khóa · closed"}


def show_stock_takes(console: Console, takes: Sequence[TakeLine]) -> None:
    """Print each stock-take, its lines as seen | as the clerks truly answered, and what to type next."""
    heading(console, "Kiểm kê · stock-takes (kiemke count show N)")
    for take in takes:
        state = str(take.seen["state"])
        seen, true = take.seen["lines"] or {}, take.plan.true_lines
        console.print(f"  {take.number}  {take.seen['counted']['name']}: {TAKE_STATES.get(state, state)}",
                      markup=False)  # fmt: skip
        for name, words in TAKE_LINES.items():
            if seen.get(name) or true.get(name):
                console.print("    ", _pair(seen.get(name), true.get(name, 0)), f" {words}", sep="")
        for command in take.next_commands:
            console.print(Text(f"    → {command}", style=QUIET), soft_wrap=True)


CARRIED = {
    "asset": "tài sản · assets",
    "device": "thiết bị mạng · network devices",
    "enrolment_token": "mã đăng ký · enrolment tokens",
    "link": "đường truyền · lines",
    "link_share": "phần dùng chung đường truyền · shares of lines",
    "official": "người · people",
    "source": "nguồn báo cáo · sources of reports",
    "place": "nơi · places",
    "secret": "thông tin truy cập thiết bị · secrets of devices",
    "site_subnet": "mạng con · subnets",
    "stock_take": "đợt kiểm kê · stock-takes",
    "user": "tài khoản · users",
}


def show_places(console: Console, places: Mapping[str, str]) -> None:
    """Print where everything is."""
    heading(console, "Xem ở đâu · where to look")
    for name, value in places.items():
        console.print(Text(f"  {name}", style=QUIET))
        console.print(Text(f"    {value}"), soft_wrap=True)


def show_reform(console: Console, told: Mapping[str, Any], command: str) -> None:
    """Print what the reform of 01/07/2025 would do to the district, and how to see it or do it."""
    heading(console, "Sắp xếp 01/07/2025, chạy thử · the reform of that day, a dry run")
    ended, begun = len(told["ended"]), len(told["created"])
    console.print(
        f"  {ended} đơn vị kết thúc · units end; {begun} đơn vị mới · begin", markup=False
    )
    moved = Counter(row["what"] for row in told["moved"])
    _line(
        console,
        "chuyển sang · carried over",
        "\n".join(f"{moved[what]:>4} {CARRIED.get(what, what)}" for what in sorted(moved)),
    )
    for row in told["created"]:
        console.print(Text(f"    {row['code']:<12} {row['name']}"), soft_wrap=True)
    console.print(Text("  xem từng dòng · every row of it", style=QUIET))
    console.print(Text(f"    {command}"), soft_wrap=True)
    console.print(
        Text("  ghi (write) --apply; rồi (then) unit list --as-of 30/06/2025 | 01/07/2025")
    )


def show_verdict(console: Console, summary: Mapping[str, Any], differences: Sequence[str]) -> None:
    """Print what it cost and whether every figure is the true one; the demo's last word."""
    heading(console, "Kết luận · in the end")
    reports, batches = f"{summary['reports']:,}".replace(",", "."), summary["batches"]
    console.print(f"  {reports} báo cáo · reports, {batches} lô · batches", markup=False)
    seconds = f"{summary['played_seconds']:.0f}", f"{summary['all_seconds']:.0f}"
    console.print(f"  diễn (played) {seconds[0]} s, tất cả (all) {seconds[1]} s", markup=False)
    for sentence in differences[:40]:
        console.print(f"  SAI · DIFFERS: {sentence}", markup=False, style=BAD)
    if not differences:
        words = (
            "Mọi con số đều đúng như bộ sinh dữ liệu đã biết.",
            ("Every figure is the one the generator knows to be true."),
        )
        for each in words:
            console.print(f"  {each}", style=GOOD)
