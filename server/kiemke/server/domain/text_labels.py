"""The words of every enumeration in Vietnamese and English: what files show and what imports read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    vi: str
    en: str

    def say(self, language: str) -> str:
        """Return the text in ``language``: "en", or Vietnamese for anything else."""
        return self.en if language == "en" else self.vi


def _table(*rows: tuple[str, str, str]) -> dict[str, Words]:
    return {code: Words(vi, en) for code, vi, en in rows}


UNIT_TYPES = _table(
    ("tinh", "tỉnh", "province"),
    ("thanh_pho", "thành phố", "city"),
    ("huyen", "huyện", "district"),
    ("quan", "quận", "urban district"),
    ("thi_xa", "thị xã", "town"),
    ("xa", "xã", "commune"),
    ("phuong", "phường", "ward"),
    ("thi_tran", "thị trấn", "township"),
    ("dac_khu", "đặc khu", "special zone"),
    ("phong", "phòng, ban", "department"),
    ("don_vi_su_nghiep", "đơn vị sự nghiệp", "public service unit"),
    ("cum", "cụm", "cluster"),
    ("khac", "khác", "other"),
)
OFFICIAL_KINDS = _table(
    ("can_bo", "cán bộ", "elected official"),
    ("cong_chuc", "công chức", "civil servant"),
    ("vien_chuc", "viên chức", "public employee"),
    ("hop_dong", "lao động hợp đồng", "contract staff"),
)
ABSENCE_REASONS = _table(
    ("leave", "nghỉ dài ngày", "leave"),
    ("study", "đi học", "study"),
    ("suspended", "đình chỉ công tác", "suspended"),
    ("needs_no_computer", "vị trí không cần máy tính", "needs no computer"),
    ("equipped_by_ministry", "ngành dọc trang bị", "equipped by a ministry"),
)
ASSET_KINDS = _table(
    ("desktop", "máy tính để bàn", "desktop"),
    ("all_in_one", "máy tính liền khối", "all-in-one"),
    ("laptop", "máy tính xách tay", "laptop"),
    ("tablet", "máy tính bảng", "tablet"),
    ("server", "máy chủ", "server"),
    ("printer", "máy in", "printer"),
    ("copier", "máy photocopy", "photocopier"),
    ("scanner", "máy quét", "scanner"),
    ("multifunction", "máy in đa năng", "multifunction printer"),
    ("shredder", "máy hủy tài liệu", "shredder"),
    ("kiosk", "máy tra cứu", "kiosk"),
    ("citizen_pc", "máy tính phục vụ công dân", "citizens' PC"),
    ("meeting_pc", "máy tính phòng họp", "meeting-room PC"),
    ("camera", "camera giám sát", "camera"),
    ("ups", "bộ lưu điện", "UPS"),
    ("switch", "bộ chuyển mạch", "switch"),
    ("router", "bộ định tuyến", "router"),
    ("firewall", "tường lửa", "firewall"),
    ("access_point", "bộ phát Wi-Fi", "access point"),
    ("modem", "modem quang", "modem"),
    ("video_conference", "thiết bị hội nghị truyền hình", "video conference set"),
    ("nas", "thiết bị lưu trữ mạng", "network storage"),
    ("monitor", "màn hình", "monitor"),
    ("other", "thiết bị khác", "other"),
)
_DEVICES = (
    "switch", "router", "firewall", "access_point", "modem", "printer", "copier", "scanner", "ups",
    "nas", "camera", "server", "other",
)  # fmt: skip
DEVICE_KINDS = {code: ASSET_KINDS[code] for code in _DEVICES}
ASSET_STATUSES = _table(
    ("in_stock", "trong kho", "in stock"),
    ("in_use", "đang sử dụng", "in use"),
    ("under_repair", "đang sửa chữa", "under repair"),
    ("broken", "hỏng", "broken"),
    ("awaiting_disposal", "chờ thanh lý", "awaiting disposal"),
    ("disposed", "đã thanh lý", "disposed"),
    ("lost", "mất", "lost"),
)
OWNERSHIPS = _table(
    ("owned", "của đơn vị", "owned"),
    ("borrowed", "mượn", "borrowed"),
    ("provider", "của nhà cung cấp", "provider's"),
    ("unproven", "bản nháp, chưa có giấy tờ", "a draft, no paper yet"),
    ("private", "của cá nhân", "the person's own"),
)
NO_AGENT_REASONS = _table(
    ("secret", "máy soạn thảo tài liệu mật", "secret documents"),
    ("police_network", "mạng công an", "police network"),
    ("party_network", "mạng cơ quan Đảng", "party network"),
    ("off_network", "không nối mạng", "off the network"),
    ("unsupported_os", "hệ điều hành không hỗ trợ", "unsupported system"),
)
LINK_BASES = _table(
    ("counters", "bộ đếm của thiết bị", "device counters"),
    ("igd", "modem tự báo", "the router's own report"),
    (
        "pcs_lower_bound",
        "tổng các máy tính, không phải của đường truyền",
        "sum of the PCs, not of the line",
    ),
    ("probes_only", "chỉ thăm dò", "probes only"),
)
LINK_REASONS = _table(
    ("down", "mất kết nối", "no connection"),
    ("silent", "lâu không có tin", "not heard lately"),
    ("recorded_only", "chỉ ghi sổ, không đo", "recorded only, never probed"),
    ("availability", "độ khả dụng thấp", "availability too low"),
    ("utilization_receive", "tải xuống gần đầy (p95)", "download nearly full (p95)"),
    ("utilization_transmit", "tải lên gần đầy (p95)", "upload nearly full (p95)"),
    ("delivered_receive", "tải xuống thấp hơn hợp đồng", "download below the contract"),
    ("delivered_transmit", "tải lên thấp hơn hợp đồng", "upload below the contract"),
    ("negotiated", "cổng chạy chậm hơn hợp đồng", "the port runs slower than the contract"),
    ("half_duplex", "cổng chạy bán song công", "the port runs at half duplex"),
    ("loss", "mất gói", "packets are lost"),
    ("round_trip", "độ trễ cao", "the round trip is long"),
)
DUPLEX = _table(("half", "bán song công", "half"), ("full", "song công", "full"))
EVIDENCE = _table(
    ("uuid", "UUID phần sụn", "firmware UUID"),
    ("system", "số máy", "machine serial"),
    ("board", "số bo mạch", "board serial"),
    ("chassis", "số vỏ máy", "chassis serial"),
    ("mac", "MAC lắp trong", "built-in MAC"),
    ("plugged", "cạc mạng cắm ngoài", "plugged adapter"),
    ("disk", "số ổ đĩa", "disk serial"),
    ("memory", "số thanh nhớ", "memory serial"),
    ("monitor", "số màn hình", "monitor serial"),
    ("model", "kiểu bo mạch", "make of the board"),
    ("install", "cùng bản cài tác nhân", "same install of the agent"),
)
EVIDENCE_RESULTS = _table(("agrees", "trùng", "agrees"), ("differs", "khác", "differs"))
# What tells many agents on one host.
HOST_SIGNS = _table(
    ("boot_id", "cùng số của lần khởi động", "one boot identifier"),
    ("counters", "cùng số đếm của cạc mạng", "one adapter's counters"),
    ("parts", "chung linh kiện", "shared parts"),
    ("memory", "cùng dung lượng bộ nhớ thấy được", "the same memory in sight"),
    ("boots", "cùng lúc khởi động", "the same boots"),
    ("in_step", "gửi báo cáo cùng nhịp", "reports in step"),
    ("address", "cùng địa chỉ", "one address"),
    ("enrolled", "ghi danh cùng lúc", "enrolled at once"),
)
LINK_KINDS = _table(
    ("internet", "Internet", "Internet"),
    ("tslcd", "mạng TSLCD", "state data network"),
    ("leased", "kênh thuê riêng", "leased line"),
    ("police", "đường truyền công an", "police line"),
)
MEASURES = _table(
    ("coverage", "tỷ lệ người được trang bị", "coverage"),
    ("ratio", "số máy trên đầu người", "ratio"),
)
EQUIPMENT_ITEMS = _table(
    ("pc", "máy tính", "PC"),
    ("printer", "máy in", "printer"),
    ("copier", "máy photocopy", "photocopier"),
    ("scanner", "máy quét", "scanner"),
    ("citizen_pc", "máy tính phục vụ công dân", "citizens' PC"),
    ("kiosk", "máy tra cứu", "kiosk"),
    ("camera", "camera giám sát", "camera"),
    ("video_conference", "thiết bị hội nghị truyền hình", "video conference set"),
    ("server", "máy chủ", "server"),
    ("switch", "bộ chuyển mạch", "switch"),
    ("router", "bộ định tuyến, modem", "router or modem"),
    ("firewall", "tường lửa", "firewall"),
    ("access_point", "bộ phát Wi-Fi", "access point"),
    ("ups", "bộ lưu điện", "UPS"),
    ("internet", "đường Internet", "Internet line"),
    ("tslcd", "đường TSLCD", "state data network line"),
)
DESK_FINDINGS = _table(
    ("lack", "thiếu", "lacks"),
    ("not_working", "không hoạt động", "not working"),
    ("unknown", "chưa rõ", "not known"),
    ("ok", "đủ", "complete"),
)
INDICATOR_MEASURES = _table(
    ("percent", "tỷ lệ %", "percentage"),
    ("count", "số lượng", "count"),
    ("dong", "đồng", "đồng"),
    ("score", "điểm", "score"),
    ("rank", "thứ hạng", "rank"),
)
PROBE_PURPOSES = _table(
    ("gateway", "cổng ra", "gateway"),
    ("isp", "nhà mạng", "provider"),
    ("domestic", "trong nước", "domestic"),
)
NORM_ITEMS = _table(
    ("pc", "máy tính", "PC"),
    ("desktop", "máy tính để bàn", "desktop"),
    ("laptop", "máy tính xách tay hoặc máy tính bảng", "laptop or tablet"),
    ("printer", "máy in", "printer"),
    ("scanner", "máy quét", "scanner"),
    ("shredder", "máy hủy tài liệu", "shredder"),
    ("copier", "máy photocopy", "photocopier"),
)
NORM_DECIDERS = _table(
    ("head", "thủ trưởng quyết định được", "the head may decide"),
    ("province", "tỉnh quyết định được", "the province may decide"),
    ("beyond", "vượt mọi mức", "beyond every limit"),
)
NORM_FINDINGS = _table(
    ("lack", "thiếu", "less than allowed"),
    ("over", "vượt số lượng", "more than allowed"),
    ("over_price", "vượt giá", "dearer than allowed"),
    ("unknown_post", "chưa rõ nhóm chức danh", "post in no group"),
)
WEAR_LINES = _table(
    ("class", "loại", "class"),
    ("asset", "tài sản", "asset"),
    ("total", "tổng cộng", "total"),
)
ASSET_CLASSES = _table(
    ("fixed_asset", "tài sản cố định", "fixed asset"),
    ("tool", "công cụ, dụng cụ", "tool"),
)
WEAR_NOTES = _table(
    ("tool", "công cụ, dụng cụ: không tính hao mòn", "a tool: does not wear"),
    ("no_price", "chưa có nguyên giá", "no price on the book"),
    ("no_date", "chưa có ngày đưa vào sử dụng", "no day of first use on the book"),
    ("not_begun", "chưa đến năm tính", "not yet begun"),
    ("worn", "đã hao mòn hết", "fully worn"),
    ("stopped", "hỏng, ngừng tính", "broken: stands still"),
    ("last", "năm cuối", "last year"),
)
# Why a thing has no residual value in the minutes; in this order they are told.
NO_RESIDUAL = _table(
    ("no_price", "chưa có nguyên giá", "no price on the book"),
    ("no_date", "chưa có ngày đưa vào sử dụng", "no day of first use on the book"),
    ("tool", "công cụ, dụng cụ, không tính hao mòn", "a tool: does not wear"),
    ("not_owned", "đi mượn hoặc của nhà cung cấp, không ở sổ này", "borrowed or a provider's: not on this book"),
    ("other_book", "ghi ở sổ đơn vị khác", "on the book of another unit"),
    ("no_paper", "ghi nháp, chưa có chứng từ", "a draft without paper"),
    ("gone", "đã ghi giảm", "off the book"),
    ("surplus", "thừa, chưa có trên sổ", "surplus: not on the book yet"),
    ("unknown", "không rõ vì sao", "not known why"),
)  # fmt: skip
STATES = _table(
    ("no_pc", "chưa có máy", "no PC"),
    ("verified", "đã xác minh", "verified"),
    ("counted", "đã kiểm đếm", "counted"),
    ("contradicted", "mâu thuẫn", "contradicted"),
    ("silent", "im lặng", "silent"),
    ("unmatched", "chưa khớp", "unmatched"),
)
DIFFERENCES = _table(
    ("elsewhere", "thấy ở nơi khác sổ ghi", "seen elsewhere than booked"),
    ("hardware", "phần cứng đã thay đổi", "hardware changed"),
    ("holder_left", "người giữ đã thôi việc", "its holder has left"),
    ("never_seen", "có trên sổ, chưa từng thấy", "on the book, never seen"),
    ("not_booked", "thấy được, chưa có trên sổ", "seen, not on the book"),
    ("other_user", "người khác sử dụng", "used by another"),
    ("overdue", "quá hạn trả", "due back and not returned"),
)
TAKE_LINES = _table(
    ("missing", "thiếu", "missing"),
    ("elsewhere", "ở nơi khác", "elsewhere"),
    ("broken", "hỏng", "broken"),
    ("not_expected", "thừa: sổ không ghi ở đây", "surplus: booked elsewhere or gone"),
    ("surplus", "thừa: ngoài sổ", "surplus: not on the book"),
    ("unanswered", "chưa kiểm", "not answered"),
    ("agrees", "khớp sổ", "as the book says"),
)
MATCH_STATES = _table(
    ("matched", "đã khớp với máy", "matched"),
    ("unmatched", "chưa thấy máy", "not seen"),
    ("no_agent", "không cài tác tử", "no agent"),
)
VERDICTS = _table(
    ("healthy", "tốt", "healthy"),
    ("degraded", "kém", "degraded"),
    ("down", "mất", "down"),
    ("unknown", "chưa rõ", "unknown"),
)

# Words that rolls are full of (as search keys) -> the code they mean.
SYNONYMS = {
    "pc": "desktop", "may tinh": "desktop", "may vi tinh": "desktop", "may tinh ban": "desktop",
    "may vi tinh de ban": "desktop", "may ban": "desktop", "aio": "all_in_one",
    "may vi tinh xach tay": "laptop", "may xach tay": "laptop", "notebook": "laptop",
    "khac": "other", "may scan": "scanner", "may photo": "copier", "may photocopy": "copier",
    "may in da chuc nang": "multifunction", "ki-ot": "kiosk", "kiot": "kiosk",
    "may tra cuu thong tin": "kiosk", "camera": "camera", "switch": "switch", "router": "router",
    "firewall": "firewall", "wi-fi": "access_point", "wifi": "access_point", "modem": "modem",
    "modem nha mang": "modem", "ont": "modem", "nas": "nas",
    "phong": "phong", "ban": "phong", "phong chuyen mon": "phong", "thanh pho": "thanh_pho",
    "hop dong": "hop_dong", "nguoi lao dong hop dong": "hop_dong",
    "dang dung": "in_use", "dang hoat dong": "in_use", "hu hong": "broken",
    "chua su dung": "in_stock", "dang sua": "under_repair", "da thanh ly": "disposed",
    "don vi": "owned", "cua co quan": "owned", "thue": "provider", "nha mang": "provider",
    "hoc": "study", "nghi thai san": "leave", "tslcd": "tslcd", "ftth": "internet",
    "coverage": "coverage", "ty le": "coverage",
}  # fmt: skip


def say(table: dict[str, Words], code: str | None, language: str) -> str | None:
    """Return the word for ``code``; the code itself when the table lacks it; None for None."""
    if code is None:
        return None
    return table[code].say(language) if code in table else code
