"""The headings of real registers, rosters and lists, and the template columns they mean.

Written as people write them, without diacritics; a part before " > " is the group above (a two-line
heading). The forms are those of the accounting rules (S24-H, S26-H, C53-HD, 04c) and what offices add.
"""

from kiemke.server.imports.headings import heading_key
from kiemke.server.imports.templates import TEMPLATES, Template

# Groups whose columns tell of the count, of differences and of what left the book: never the book's.
OTHER_GROUPS = (
    "thuc te kiem ke", "thuc te", "kiem ke", "chenh lech", "ghi giam", "thua", "thieu", "khau hao",
    "hao mon", "khau hao hao mon", "chung tu", "chung tu ghi tang", "ghi giam tscd",
    "so phat sinh giam", "phan loai", "pham chat",
)  # fmt: skip

_NAMES: dict[str, dict[str, str]] = {
    "units": {
        "code": "ma don vi|ma co quan|ma qhns|ma so|ma dv|ky hieu|unit code",
        "name": "ten don vi|ten co quan|don vi|co quan don vi|ten phong ban|ten xa phuong|unit name|unit",
        "type": "loai don vi|cap|loai hinh|unit type",
        "parent": "don vi cap tren|co quan chu quan|don vi chu quan|truc thuoc|ma cap tren|parent unit",
        "instrument": "quyet dinh|so quyet dinh|quyet dinh thanh lap",
        "valid_from": "ngay thanh lap|hieu luc tu|ngay hieu luc",
    },
    "officials": {
        "code": "ma can bo|ma cbccvc|ma cong chuc|ma nhan vien|ma nv|ma cb|ma so|so hieu cong chuc|"
                "so hieu|employee id|employee code|staff code|staff id",
        "name": "ho va ten|ho ten|ho va ten can bo|ten can bo|ho ten cbcc|ho ten nguoi su dung|"
                "ten nhan vien|ho va ten khai sinh|ho dem va ten|full name|name of official|employee|staff name",
        "unit": "don vi|phong ban|phong|don vi cong tac|noi cong tac|bo phan|co quan|to chuc|"
                "phong chuyen mon|co quan don vi|ten don vi|don vi cong tac hien nay|department|unit|office",
        "kind": "doi tuong|loai can bo|loai|loai cbcc|dien|phan loai|can bo cong chuc vien chuc|employment type",
        "post": "chuc vu|chuc danh|chuc vu chuc danh|chuc danh chuc vu|chuc vu chuc danh cong tac|"
                "vi tri viec lam|vi tri|chuc vu hien tai|nhiem vu|position|title|job title|post",
        "phone": "dien thoai|so dien thoai|di dong|dtdd|sdt|dt|so dt|dien thoai di dong|dien thoai lien he|"
                 "mobile|phone number|telephone|phone",
        "mailbox": "email|e mail|thu dien tu|hop thu|hop thu cong vu|email cong vu|dia chi email|mail",
        "account": "tai khoan|ten dang nhap|user|username|tai khoan dang nhap|tai khoan mang|user name|login",
        "instrument": "so quyet dinh|quyet dinh|quyet dinh so",
        "valid_from": "ngay bat dau|ngay nhan cong tac|tu ngay|ngay hieu luc|start date",
    },
    "assets": {
        "code": "ma tai san|ma so|so hieu|so hieu tscd|ma tscd|ma so tscd|so hieu tai san|ma ts|the tscd|"
                "so the|ma thiet bi|so the tscd|asset code|asset id|asset no|ma so tai san|ma so thiet bi",
        "tag": "so tem|tem|ma tem|ma vach|barcode|so tem tai san|asset tag",
        "kind": "loai tai san|loai|nhom tai san|chung loai|loai thiet bi|nhom|loai tscd|asset type|category|type",
        "name": "ten tai san|ten tscd|ten tscd ccdc|ten thiet bi|tai san|ten dac diem ky hieu|"
                "ten dac diem ky hieu tscd|ten tai san co dinh|ten nhan hieu quy cach|ten hang hoa|ten hang|"
                "ten tai san thiet bi|noi dung|danh muc|danh muc tai san|danh muc hang hoa|ten san pham|"
                "ten ky hieu quy cach|ten ky hieu quy cach tscd|ten va dac diem|ten tscd va ccdc|"
                "ten tai san co dinh va cong cu dung cu|ten cong cu dung cu|ten ccdc|ten tscd cong cu dung cu|"
                "ten may|ten tscd cong cu dung cu lau ben|asset name|description|item|ten vat tu hang hoa",
        "manufacturer": "hang|hang san xuat|nha san xuat|nhan hieu|thuong hieu|hang sx|brand|maker|manufacturer",
        "model": "model|kieu|ky hieu|kieu may|ma hieu|ky ma hieu|quy cach|thong so ky thuat|cau hinh|model no",
        "serial": "serial|so serial|so seri|seri|so may|s n|sn|serial number|serial no|so se ri|so sery",
        "price_dong": "nguyen gia|gia tri|nguyen gia tscd|nguyen gia dong|theo so ke toan > nguyen gia|"
                      "nguyen gia > tong cong|nguyen gia > tong|so ke toan > nguyen gia|ng|original cost|cost|"
                      "nguyen gia ke toan|gia tri so sach|nguyen gia tai san",
        "in_use_since": "nam su dung|nam dua vao sd|nam dua vao su dung|nam sd|ngay su dung|ngay dua vao su dung|"
                        "nam dua vao su dung o don vi|nam dua vao sd o don vi|ngay sd|nam mua|nam trang bi|"
                        "ngay mua|thang nam dua vao su dung|nam cap|in service|purchase date|year",
        "funding_source": "nguon|nguon von|nguon kinh phi|nguon hinh thanh|nguon ngan sach|funding",
        "ownership": "so huu|hinh thuc so huu",
        "status": "tinh trang|hien trang|tinh trang su dung|hien trang su dung|tinh trang tai san|condition|status",
        "unit": "don vi|don vi su dung|bo phan su dung|phong ban|phong|bo phan|don vi quan ly|ten don vi|"
                "phong ban su dung|department|unit|co quan",
        "official": "nguoi su dung|nguoi sd|can bo su dung|nguoi quan ly|ho ten nguoi su dung|nguoi duoc giao|"
                    "nguoi giu|can bo quan ly|ho va ten|ho va ten nguoi su dung|user|assigned to|custodian|owner",
        "place": "noi su dung|noi sd|vi tri|vi tri dat|dia diem|noi dat|dia diem su dung|phong so|noi de|"
                 "location|place|room",
        "quantity": "so luong|sl|theo so ke toan > so luong|theo so ke toan > sl|so ke toan > so luong|"
                    "so ke toan > sl|ghi tang > so luong|ghi tang > sl|quantity|qty|khoi luong",
        "unit_price": "don gia|ghi tang > don gia|don gia vnd|gia|unit price|don gia dong|don gia co vat",
        "amount": "thanh tien|ghi tang > thanh tien|so tien|tong tien|so ke toan > tt|so ke toan > thanh tien|"
                  "theo so ke toan > thanh tien|amount|total|thanh tien vnd|ghi tang > so tien|tri gia",
        "instrument": "so quyet dinh|quyet dinh|so chung tu|chung tu so|so hop dong|hoa don|so hoa don|"
                      "chung tu ghi tang > so hieu|chung tu > so hieu",
        "valid_from": "ngay ghi so|ngay giao|ngay ban giao|tu ngay|ngay cap phat",
    },
    "devices": {
        "code": "ma thiet bi|ma|ma so|so hieu|device code",
        "name": "ten thiet bi|thiet bi|hostname|device name|device",
        "kind": "loai thiet bi|loai|chung loai|type|device type",
        "unit": "don vi|don vi su dung|phong ban|noi dat|unit|department",
        "address": "dia chi ip|ip|ip address|dia chi quan tri|dia chi|management ip|ip tinh",
        "port": "cong snmp|port",
        "credential": "thong tin truy cap|snmp community",
        "asset": "ma tai san|so hieu tai san|asset code",
    },
    "links": {
        "code": "ma duong truyen|ma kenh|ma|so hieu|circuit id",
        "name": "ten duong truyen|duong truyen|ten kenh|dich vu|link",
        "unit": "don vi|don vi su dung|ten don vi|dia diem|unit",
        "kind": "loai|loai duong truyen|loai kenh|loai dich vu",
        "provider": "nha cung cap|nha mang|don vi cung cap|isp|provider|vien thong",
        "contract_number": "so hop dong|hop dong|contract",
        "price_dong": "gia cuoc|cuoc thang|gia thang|gia|don gia|cuoc|price",
        "payer": "don vi chi tra|nguon chi tra|don vi thanh toan",
        "down_mbps": "bang thong|toc do|toc do tai xuong|download|toc do mbps|bang thong mbps|down",
        "up_mbps": "tai len|toc do tai len|upload|up",
        "device": "thiet bi|thiet bi dau cuoi|router",
        "interface_name": "cong|port|interface",
    },
    "absences": {
        "official": "ma can bo|ma cbccvc|ma nhan vien|can bo|ho va ten|ho ten",
        "reason": "ly do|ly do nghi|hinh thuc",
        "valid_from": "tu ngay|nghi tu|ngay bat dau",
        "valid_to": "den ngay|ngay ket thuc",
        "instrument": "quyet dinh|so quyet dinh",
    },
    "targets": {
        "unit": "don vi|ma don vi",
        "measure": "chi tieu|ten chi tieu|indicator",
        "target": "muc tieu|gia tri|ke hoach|goal",
        "source": "van ban|nguon|can cu",
    },
    "indicators": {
        "code": "ma chi tieu|ma chi so",
        "name": "ten chi tieu|chi tieu|ten chi so|indicator",
        "unit": "don vi|ten don vi",
        "actual": "thuc hien|ket qua|thuc te dat|achieved",
        "target": "ke hoach|muc tieu|goal",
        "source": "nguon|van ban|can cu",
    },
    "holidays": {
        "day": "ngay|ngay nghi|date",
        "name": "ten ngay|ten ngay nghi|dip|noi dung",
        "working": "lam bu|di lam bu",
    },
}  # fmt: skip

# What real sheets carry and no template needs: known, so that it helps to find the heading row.
_UNNEEDED = (
    "stt|so tt|tt|so thu tu|no|ghi chu|dvt|don vi tinh|nuoc sx|nuoc san xuat|xuat xu|nam sx|"
    "nam san xuat|gtcl|gia tri con lai|ngay ghi so|ty le|so nam|bao hanh|nguyen nhan chenh lech|"
    "trinh do|que quan|ngay sinh|nam sinh|cccd|gioi tinh|luong|he so luong"
)


def _table(template: Template) -> dict[str, str]:
    """Return column names by heading key; a qualified key is "group > part" with both folded."""
    found: dict[str, str] = {}
    for column, names in _NAMES.get(template.name, {}).items():
        for name in names.split("|"):
            key = " > ".join(heading_key(part) for part in name.split(" > "))
            found.setdefault(key, column)
    return found


HEADINGS: dict[str, dict[str, str]] = {
    name: _table(template) for name, template in TEMPLATES.items()
}
UNNEEDED = frozenset(heading_key(name) for name in _UNNEEDED.split("|"))


def known_keys(template: Template) -> frozenset[str]:
    """Return every key that marks a heading row for this template."""
    parts = (key.split(" > ")[-1] for key in HEADINGS[template.name])
    return frozenset(parts) | own_keys(template) | UNNEEDED


def own_keys(template: Template) -> frozenset[str]:
    """Return the keys of the template's own headings: its names, in both languages."""
    return frozenset(
        heading_key(name)
        for column in (*template.columns, *template.more)
        for name in (column.name, column.heading.vi, column.heading.en)
    )
