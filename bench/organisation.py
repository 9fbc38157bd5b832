"""The offices of the fictional huyện Thanh Giang: departments, communes, posts and head-counts."""

# (code, name, how many officials): the twelve departments of a district, 120 people.
DEPARTMENTS = (
    ("TG-VP", "Văn phòng HĐND và UBND", 22),
    ("TG-NV", "Phòng Nội vụ", 10),
    ("TG-TP", "Phòng Tư pháp", 6),
    ("TG-TCKH", "Phòng Tài chính - Kế hoạch", 11),
    ("TG-TNMT", "Phòng Tài nguyên và Môi trường", 11),
    ("TG-LDTBXH", "Phòng Lao động - Thương binh và Xã hội", 9),
    ("TG-VHTT", "Phòng Văn hóa và Thông tin", 8),
    ("TG-GDDT", "Phòng Giáo dục và Đào tạo", 12),
    ("TG-YT", "Phòng Y tế", 6),
    ("TG-TTRA", "Thanh tra huyện", 6),
    ("TG-NNPTNT", "Phòng Nông nghiệp và Phát triển nông thôn", 9),
    ("TG-KTHT", "Phòng Kinh tế và Hạ tầng", 10),
)

# Twenty-one communes of twenty officials each; the first one is the district's township.
COMMUNES = (
    "Thị trấn Thanh Giang", "Xã An Lộc Giang", "Xã Bình Đông Hải", "Xã Cẩm Vân Giang",
    "Xã Đại Thuận Giang", "Xã Đông Hải Lý", "Xã Giang Bắc Thượng", "Xã Giang Nam Hạ",
    "Xã Hòa Thanh Giang", "Xã Hồng Vân Giang", "Xã Kiến An Giang", "Xã Lộc Thành Giang",
    "Xã Minh Hải Giang", "Xã Nghĩa Thanh Giang", "Xã Phú Đông Giang", "Xã Quang Hải Giang",
    "Xã Sơn Thanh Hải", "Xã Tân Hải Giang", "Xã Thủy Thanh Giang", "Xã Vĩnh Hải Giang",
    "Xã Yên Thanh Giang",
)  # fmt: skip
PEOPLE_PER_COMMUNE = 20

# (post, kind) in a commune, twenty of them: elected officials first, then civil servants.
COMMUNE_POSTS = (
    ("Bí thư Đảng ủy", "can_bo"),
    ("Phó Bí thư Đảng ủy", "can_bo"),
    ("Chủ tịch HĐND", "can_bo"),
    ("Phó Chủ tịch HĐND", "can_bo"),
    ("Chủ tịch UBND", "can_bo"),
    ("Phó Chủ tịch UBND", "can_bo"),
    ("Chủ tịch Ủy ban MTTQ", "can_bo"),
    ("Bí thư Đoàn Thanh niên", "can_bo"),
    ("Chủ tịch Hội Liên hiệp Phụ nữ", "can_bo"),
    ("Chủ tịch Hội Nông dân", "can_bo"),
    ("Chủ tịch Hội Cựu chiến binh", "can_bo"),
    ("Chỉ huy trưởng Ban Chỉ huy Quân sự", "cong_chuc"),
    ("Văn phòng - thống kê", "cong_chuc"),
    ("Văn phòng - thống kê", "cong_chuc"),
    ("Địa chính - nông nghiệp - xây dựng và môi trường", "cong_chuc"),
    ("Địa chính - nông nghiệp - xây dựng và môi trường", "cong_chuc"),
    ("Tài chính - kế toán", "cong_chuc"),
    ("Tư pháp - hộ tịch", "cong_chuc"),
    ("Văn hóa - xã hội", "cong_chuc"),
    ("Văn hóa - xã hội", "cong_chuc"),
)


def department_post(place: int) -> tuple[str, str]:
    """Return (post, kind) of the place-th person (from 0) of a department."""
    if place == 0:
        return "Trưởng phòng", "cong_chuc"
    if place in (1, 2):
        return "Phó Trưởng phòng", "cong_chuc"
    if place % 7 == 6:
        return "Nhân viên", "hop_dong"
    if place % 9 == 8:
        return "Viên chức", "vien_chuc"
    return "Chuyên viên", "cong_chuc"


def equipped_of(commune: int) -> int:
    """Return how many of a commune's twenty have a PC on the book: 3 x 20, 15 x 18, 3 x 16 = 378."""
    if commune < 3:
        return 20
    return 18 if commune < 18 else 16


def rates_of(commune: int) -> int:
    """Return a commune line's contracted Mbps: 12 x 100, 6 x 150, 3 x 60."""
    if commune < 12:
        return 100
    return 150 if commune < 18 else 60
