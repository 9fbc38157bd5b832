"""The errors about who may what: each kind's status and its words in both languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One error in one language; ``{name}`` stands for a field of the Problem."""

    title: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error: its HTTP status and its words in both languages."""

    status: int
    vi: Words
    en: Words


def make_kind(status: int, vi: tuple[str, str, str], en: tuple[str, str, str]) -> Kind:
    """Return a kind of (title, detail, remedy) in both languages."""
    return Kind(status, Words(*vi), Words(*en))


ACCESS_PROBLEMS: dict[str, Kind] = {
    "wrong_password": make_kind(
        401,
        (
            "Sai tên hoặc mật khẩu",
            "Tên người dùng hoặc mật khẩu không đúng.",
            "Kiểm tra bộ gõ và phím Caps Lock; quên thì nhờ quản trị đặt lại.",
        ),
        (
            "Wrong name or password",
            "The user name or the password is not right.",
            "Check the keyboard and Caps Lock; if forgotten, ask an admin to set another.",
        ),
    ),
    "own_record": make_kind(
        403,
        (
            "Việc của chính mình",
            "Yêu cầu {ref} do chính tài khoản này lập: không ai duyệt việc của mình.",
            "Nhờ người khác có quyền duyệt ở đơn vị đó (kiemke duyet).",
        ),
        (
            "One's own record",
            "Request {ref} was made by this very account: nobody approves his own.",
            "Ask another person who may approve in that unit (kiemke approve).",
        ),
    ),
    "not_own_record": make_kind(
        403,
        ("Việc của người khác", "Yêu cầu {ref} do người khác lập.", "Chỉ người lập rút lại được."),
        ("Another's record", "Request {ref} is another's.", "Only who made it withdraws it."),
    ),
    "settled": make_kind(
        409,
        (
            "Đã quyết định",
            "Yêu cầu {ref} đã được duyệt, từ chối hoặc rút lại.",
            "Xem ai và khi nào: kiemke duyet list --state approved.",
        ),
        (
            "Settled already",
            "Request {ref} was approved, refused or withdrawn already.",
            "See by whom and when: kiemke approve list --state approved.",
        ),
    ),
    "code_needed": make_kind(
        428,
        (
            "Cần mã 6 số",
            "Tài khoản này đăng nhập hai bước.",
            "Gửi kèm code: mã trên điện thoại, hoặc một mã dự phòng.",
        ),
        (
            "A code is needed",
            "This account signs in by two steps.",
            "Send code as well: the phone's six digits, or a recovery code.",
        ),
    ),
    "wrong_code": make_kind(
        401,
        (
            "Mã không đúng",
            "Mã sai, đã dùng rồi hoặc đã quá giờ.",
            "Đợi mã mới (30 giây), xem đồng hồ điện thoại; hoặc dùng mã dự phòng.",
        ),
        (
            "Wrong code",
            "The code is wrong, was used before, or is of another time.",
            "Wait for the next (30 seconds), check the phone's clock, or use a recovery code.",
        ),
    ),
    "totp_on": make_kind(
        409,
        ("Đã bật hai bước", "{ref} đã đăng nhập hai bước.", "Tắt trước: kiemke hai-buoc tat."),
        ("On already", "{ref} signs in by two steps already.", "Remove it first: kiemke totp off."),
    ),
    "totp_off": make_kind(
        409,
        ("Chưa có bí mật", "{ref} chưa xin bí mật nào.", "Bắt đầu bằng: kiemke hai-buoc bat."),
        ("No secret yet", "{ref} has asked for no secret.", "Begin with: kiemke totp on."),
    ),
    "totp_needed": make_kind(
        403,
        (
            "Quản trị phải đăng nhập hai bước",
            "Máy chủ này đòi hỏi quản trị dùng mã một lần.",
            "Bật: kiemke hai-buoc bat.",
        ),
        (
            "Admins sign in by two steps here",
            "This server wants one-time codes of its admins.",
            "Turn it on: kiemke totp on.",
        ),
    ),
    "last_admin": make_kind(
        409,
        (
            "Quản trị cuối cùng",
            "{ref} là quản trị duy nhất còn dùng được.",
            "Tạo một quản trị khác trước.",
        ),
        ("The last admin", "{ref} is the only admin left.", "Make another admin first."),
    ),
    "enrolment_refused": make_kind(
        403,
        (
            "Mã ghi danh không dùng được",
            "Mã ghi danh sai, hết hạn, hết lượt, đã thu hồi hoặc dành cho loại khác.",
            "Xin mã mới: kiemke nguon token (đúng loại agent hoặc collector).",
        ),
        (
            "The enrolment token is of no use",
            "The token is wrong, expired, used up, revoked, or meant for another kind.",
            "Ask for a new one: kiemke source token (of the right kind, agent or collector).",
        ),
    ),
    "not_signed_in": make_kind(
        401,
        (
            "Chưa đăng nhập",
            "Yêu cầu không mang mã truy cập còn hiệu lực.",
            "Đăng nhập lại (kiemke dang-nhap) và gửi Authorization: Bearer MÃ.",
        ),
        (
            "Not signed in",
            "The request carries no valid access token.",
            "Sign in again (kiemke login) and send Authorization: Bearer TOKEN.",
        ),
    ),
    "forbidden": make_kind(
        403,
        (
            "Không được phép",
            "Tài khoản có vai trò {role}; việc này cần vai trò {needed}.",
            "Nhờ quản trị cấp vai trò, hoặc dùng tài khoản khác.",
        ),
        (
            "Not allowed",
            "The account's role is {role}; this needs {needed}.",
            "Ask an admin for that role, or use another account.",
        ),
    ),
}
