"""The import templates: which columns each has, in both languages, and how their cells are read."""

from dataclasses import dataclass

from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.text_labels import Words

# How a cell is read. "codes" is a list with ";" between; "year_or_date" takes 2019 for 01/01/2019;
# "mbps" is Mbit/s (a fraction may stand after a comma), "percent" 90 or 90 % or 0,9.
TYPES = (
    "text", "code", "codes", "phone", "date", "year_or_date", "money", "integer", "choice",
    "choices", "mbps", "percent", "flag", "addresses",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``name`` is its key in code (also accepted as its heading).

    ``choices`` are the words of an enumeration, by code. ``max_length`` counts characters.
    """

    name: str
    heading: Words
    type: str
    help: Words
    example: str = ""
    required: bool = False
    choices: dict[str, Words] | None = None
    max_length: int = 200


@dataclass(frozen=True, slots=True)
class Template:
    """A table that can be imported; ``key`` columns tell one thing from another.

    ``more`` are columns that other people's sheets have and the template itself does not offer: they
    are turned into its columns before anything is compared.
    """

    name: str
    title: Words
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("code",)
    more: tuple[Column, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column called ``name``. Raises KeyError."""
        for column in (*self.columns, *self.more):
            if column.name == name:
                return column
        raise KeyError(name)


def _column(
    name: str,
    vi: str,
    en: str,
    type_: str = "text",
    help_vi: str = "",
    help_en: str = "",
    example: str = "",
    *,
    required: bool = False,
    choices: dict[str, Words] | None = None,
    max_length: int = 200,
) -> Column:
    heading, help_ = Words(vi, en), Words(help_vi, help_en)
    return Column(name, heading, type_, help_, example, required, choices, max_length)


_VALID_FROM = _column(
    "valid_from", "Từ ngày", "Valid from", "date",
    "Ngày bắt đầu đúng như dòng này; để trống là ngày nhập",
    "First day on which this row is so; empty means the day of the import", "01/01/2024",
)  # fmt: skip
_VALID_TO = _column(
    "valid_to", "Đến trước ngày", "Valid until before", "date",
    "Ngày đầu tiên không còn đúng; để trống nếu còn hiệu lực",
    "First day on which this row is no longer so; empty while it lasts", "",
)  # fmt: skip
_INSTRUMENT = _column(
    "instrument", "Số văn bản", "Instrument", "text",
    "Số quyết định hoặc văn bản làm căn cứ", "Number of the decision or paper behind this row",
    "12/QĐ-UBND",
)  # fmt: skip
_CODE_VI, _CODE_EN = "Không trùng, giữ nguyên số 0 ở đầu", "Unique; leading zeros are kept"


def _code(example: str, max_length: int = 40) -> Column:
    return _column("code", "Mã", "Code", "code", _CODE_VI, _CODE_EN, example,
                   required=True, max_length=max_length)  # fmt: skip


def _unit(required: bool = True) -> Column:
    return _column("unit", "Mã đơn vị", "Unit code", "code", "Mã đã có trong danh mục đơn vị",
                   "A code from the list of units", "TG-NV", required=required)  # fmt: skip


UNITS = Template(
    "units",
    Words("Đơn vị", "Units"),
    (
        _code("TG-NV"),
        _column("name", "Tên", "Name", "text", "Tên đầy đủ", "Full name", "Phòng Nội vụ",
                required=True),
        _column("type", "Loại", "Type", "choice", "Chọn trong danh sách", "Choose from the list",
                "phòng, ban", required=True, choices=labels.UNIT_TYPES),
        _column("parent", "Mã đơn vị cấp trên", "Parent code", "code",
                "Để trống nếu là đơn vị cao nhất", "Empty for the topmost unit", "TG"),
        _VALID_FROM, _VALID_TO, _INSTRUMENT,
    ),
)  # fmt: skip

OFFICIALS = Template(
    "officials",
    Words("Cán bộ, công chức, viên chức", "Officials"),
    (
        _code("TG-0001"),
        _column("name", "Họ và tên", "Full name", "text", "Viết có dấu", "With its diacritics",
                "Nguyễn Văn An", required=True),
        _unit(),
        _column("kind", "Đối tượng", "Kind", "choice", "Chọn trong danh sách",
                "Choose from the list", "công chức", required=True,
                choices=labels.OFFICIAL_KINDS),
        _column("post", "Chức vụ", "Post", "text", "Chức danh, chức vụ", "Post or position",
                "Chuyên viên"),
        _column("phone", "Điện thoại", "Phone", "phone", "Giữ số 0 ở đầu", "With its leading zero",
                "0900000001", max_length=30),
        _column("mailbox", "Thư điện tử công vụ", "Mailbox", "text", "Hòm thư công vụ",
                "Official mailbox", "nvan@thanhgiang.example"),
        _column("account", "Tài khoản máy tính", "Account", "code", "Tên đăng nhập trên máy tính",
                "Login name on the PC", "nvan", max_length=100),
        _VALID_FROM, _VALID_TO, _INSTRUMENT,
    ),
)  # fmt: skip

ABSENCES = Template(
    "absences",
    Words("Người không tính vào tỷ lệ", "Absences"),
    (
        _column("official", "Mã cán bộ", "Official code", "code", "Mã đã có trong danh sách",
                "A code from the list of officials", "TG-0001", required=True),
        _column("reason", "Lý do", "Reason", "choice", "Chọn trong danh sách",
                "Choose from the list", "đi học", required=True,
                choices=labels.ABSENCE_REASONS),
        _column("valid_from", "Từ ngày", "Valid from", "date", "Ngày đầu tiên", "First day",
                "05/09/2025", required=True),
        _VALID_TO, _INSTRUMENT,
    ),
    key=("official", "valid_from"),
)  # fmt: skip

ASSETS = Template(
    "assets",
    Words("Tài sản và người sử dụng", "Assets and custody"),
    (
        _code("TS-0001", 60),
        _column("tag", "Số tem", "Tag", "code", "Số trên tem dán", "The number on the sticker",
                "T0001", max_length=60),
        _column("kind", "Loại", "Kind", "choice", "Chọn trong danh sách", "Choose from the list",
                "máy tính để bàn", required=True, choices=labels.ASSET_KINDS),
        _column("name", "Tên tài sản", "Name", "text", "Tên trên sổ", "Name in the book",
                "Máy tính để bàn Dell", required=True),
        _column("manufacturer", "Hãng", "Manufacturer", "text", "Hãng sản xuất", "Who made it",
                "Dell", max_length=120),
        _column("model", "Kiểu máy", "Model", "text", "Ký hiệu, kiểu máy", "Model", "OptiPlex 3080",
                max_length=120),
        _column("serial", "Số sê-ri", "Serial", "code", "Số máy của hãng",
                "The manufacturer's serial number", "ABC1234", max_length=120),
        _column("price_dong", "Nguyên giá (đồng)", "Price (đồng)", "money",
                "Viết 15.000.000 hoặc 15 triệu", "As 15.000.000 or 15 triệu", "15.000.000"),
        _column("in_use_since", "Năm đưa vào sử dụng", "In use since", "year_or_date",
                "Năm hoặc dd/MM/yyyy", "Year or dd/MM/yyyy", "2021"),
        _column("funding_source", "Nguồn kinh phí", "Funding source", "text", "Nguồn kinh phí",
                "Where the money came from", "Ngân sách huyện"),
        _column("ownership", "Sở hữu", "Ownership", "choice", "Để trống là của đơn vị",
                "Empty means owned", "của đơn vị", choices=labels.OWNERSHIPS),
        _column("status", "Tình trạng", "Status", "choice", "Để trống là đang sử dụng",
                "Empty means in use", "đang sử dụng", choices=labels.ASSET_STATUSES),
        _column("no_agent_reason", "Lý do không cài tác tử", "No agent reason", "choice",
                "Chỉ điền với máy không được cài", "Only for a PC that must carry no agent", "",
                choices=labels.NO_AGENT_REASONS),
        _unit(),
        _column("official", "Mã người sử dụng", "Official code", "codes",
                "Nhiều người dùng chung thì cách nhau bằng dấu ;",
                "Several persons who share it are separated by ;", "TG-0001"),
        _column("place", "Nơi sử dụng", "Place", "text", "Phòng, quầy", "Room or desk",
                "Phòng 201"),
        _column("at_place", "Mã nơi đặt", "Place code", "code",
                "Nơi đã khai báo của đơn vị (kiemke place), như quầy một cửa",
                "A place of the unit that is known (kiemke place), as a one-stop desk", ""),
        _VALID_FROM, _INSTRUMENT,
    ),
    more=(
        _column("quantity", "Số lượng", "Quantity", "integer", "Một dòng nhiều chiếc thì tách ra",
                "A row of several is split", "1"),
        _column("unit_price", "Đơn giá", "Unit price", "money", "Giá một chiếc", "Price of one"),
        _column("amount", "Thành tiền", "Amount", "money", "Giá của cả dòng",
                "Price of the whole row"),
    ),
)  # fmt: skip

DEVICES = Template(
    "devices",
    Words("Thiết bị mạng", "Network devices"),
    (
        _code("SW-01", 60),
        _column("name", "Tên", "Name", "text", "Tên thiết bị", "Name of the device",
                "Bộ chuyển mạch trung tâm", required=True),
        _column("kind", "Loại", "Kind", "choice", "Chọn trong danh sách", "Choose from the list",
                "bộ chuyển mạch", required=True, choices=labels.DEVICE_KINDS),
        _unit(),
        _column("address", "Địa chỉ IP", "Address", "code", "Địa chỉ IP hoặc tên máy",
                "IP address or host name", "192.0.2.1", max_length=100),
        _column("port", "Cổng SNMP", "SNMP port", "integer", "Để trống là 161",
                "Empty means 161", "161"),
        _column("credential", "Tên thông tin truy cập", "Credential", "code",
                "Tên mục trong tệp của bộ thu thập, không phải mật khẩu",
                "A name in the collector's own file, never the secret", "doc", max_length=60),
        _column("asset", "Mã tài sản", "Asset code", "code", "Tài sản tương ứng trên sổ",
                "The asset it is in the book", "TS-0900", max_length=60),
        _VALID_FROM, _INSTRUMENT,
    ),
)  # fmt: skip

LINKS = Template(
    "links",
    Words("Đường truyền", "Links"),
    (
        _code("DT-01", 60),
        _column("name", "Tên", "Name", "text", "Tên đường truyền", "Name of the line",
                "Internet trụ sở", required=True),
        _unit(),
        _column("kind", "Loại", "Kind", "choice", "Chọn trong danh sách", "Choose from the list",
                "Internet", required=True, choices=labels.LINK_KINDS),
        _column("provider", "Nhà cung cấp", "Provider", "text", "Nhà mạng", "Who sells it",
                "Nhà mạng A", max_length=100),
        _column("contract_number", "Số hợp đồng", "Contract number", "code", "Số hợp đồng",
                "Number of the contract", "01/HĐ-2024", max_length=100),
        _column("price_dong", "Giá một tháng (đồng)", "Price a month (đồng)", "money",
                "Viết 1.650.000 hoặc 1,65 triệu", "As 1.650.000 or 1,65 triệu", "1.650.000"),
        _column("payer", "Đơn vị trả tiền", "Payer", "text", "Ai trả tiền", "Who pays",
                "Văn phòng"),
        _column("down_mbps", "Tải xuống (Mbps)", "Down (Mbps)", "mbps", "Tốc độ theo hợp đồng",
                "Rate as sold", "100"),
        _column("up_mbps", "Tải lên (Mbps)", "Up (Mbps)", "mbps", "Tốc độ theo hợp đồng",
                "Rate as sold", "100"),
        _column("device", "Mã thiết bị", "Device code", "code", "Thiết bị mang đường truyền",
                "The device that carries the line", "RT-01", max_length=60),
        _column("interface_name", "Tên cổng", "Interface name", "text", "Tên cổng (ifName)",
                "Name of its port (ifName)", "ether1", max_length=255),
        _column("shared_by", "Mã đơn vị dùng chung", "Shared by", "codes",
                "Cách nhau bằng dấu ;", "Unit codes separated by ;", "TG-NV; TG-TP"),
        _column("probes", "Địa chỉ thăm dò", "Probe addresses", "addresses",
                "Cách nhau bằng dấu ; viết domestic: isp: hoặc gateway: ở trước",
                "Separated by ; each after domestic: isp: or gateway:",
                "gateway:192.0.2.1; domestic:198.51.100.7", max_length=1000),
        _VALID_FROM, _INSTRUMENT,
    ),
)  # fmt: skip

TARGETS = Template(
    "targets",
    Words("Chỉ tiêu trang bị", "Coverage targets"),
    (
        _unit(),
        _column("measure", "Chỉ số", "Measure", "choice", "Chọn trong danh sách",
                "Choose from the list", "tỷ lệ người được trang bị", required=True,
                choices=labels.MEASURES),
        _column("kinds", "Đối tượng", "Kinds", "choices",
                "Cách nhau bằng dấu ; để trống là tất cả", "Separated by ; empty means all",
                "cán bộ; công chức", choices=labels.OFFICIAL_KINDS),
        _column("target", "Chỉ tiêu", "Target", "percent", "90 % hoặc 0,9", "90 % or 0.9", "90 %",
                required=True),
        _column("source", "Căn cứ", "Source", "text", "Văn bản giao chỉ tiêu",
                "The paper that sets it", "12/KH-UBND", max_length=300),
        _VALID_FROM, _VALID_TO, _INSTRUMENT,
    ),
    key=("unit", "measure", "kinds", "valid_from"),
)  # fmt: skip

HOLIDAYS = Template(
    "holidays",
    Words("Ngày nghỉ và làm bù", "Holidays"),
    (
        _column("day", "Ngày", "Day", "date", "dd/MM/yyyy", "dd/MM/yyyy", "02/09/2026",
                required=True),
        _column("working", "Đi làm", "Working", "flag", "Có nếu là ngày làm bù, không nếu nghỉ",
                "Yes for a weekend day worked instead, no for a day off", "không"),
        _column("name", "Tên", "Name", "text", "Tên ngày", "Name of the day", "Quốc khánh",
                required=True),
        _INSTRUMENT,
    ),
    key=("day",),
)  # fmt: skip

INDICATORS = Template(
    "indicators",
    Words("Chỉ tiêu nhập tay", "Manual indicators"),
    (
        _code("HAI-LONG", 60),
        _unit(),
        _column("name", "Tên chỉ tiêu", "Name", "text", "Bắt buộc với chỉ tiêu mới",
                "Needed for a new indicator", "Mức độ hài lòng của người dân"),
        _column("measure", "Cách đo", "Measure", "choice", "Bắt buộc với chỉ tiêu mới",
                "Needed for a new indicator", "tỷ lệ %", choices=labels.INDICATOR_MEASURES),
        _column("more_is_better", "Càng cao càng tốt", "More is better", "flag",
                "Để trống là có", "Empty means yes", "có"),
        _column("actual", "Thực hiện", "Actual", "text", "94 %; 5.060; 6,3 tỷ; 89,31",
                "94 %; 5,060; 6.3 tỷ; 89.31", "92,5 %", max_length=60),
        _column("target", "Mục tiêu", "Target", "text", "Viết như cột Thực hiện",
                "Written as the actual figure", "90 %", max_length=60),
        _column("source", "Nguồn số liệu", "Source", "text", "Ai đo, báo cáo nào",
                "Who measured it, which report", "BC 45/BC-UBND", max_length=300),
        _VALID_FROM, _VALID_TO, _INSTRUMENT,
    ),
    key=("code", "unit", "valid_from"),
)  # fmt: skip

# The order is the order in which an installation is filled.
TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        UNITS, OFFICIALS, ABSENCES, ASSETS, DEVICES, LINKS, TARGETS, HOLIDAYS, INDICATORS,
    )
}  # fmt: skip
