"""What can be wrong with the audit log, in words: (English, Vietnamese) by code."""

FAULTS: dict[str, tuple[str, str]] = {
    "places_gone": ("places {first} to {last} are gone", "mất các mục từ {first} đến {last}"),
    "entry_gone": ("the entry is gone", "bản ghi đã bị xóa"),
    "entry_edited": (
        "the entry's bytes are not those that were hashed",
        "nội dung bản ghi không còn như lúc niêm phong",
    ),
    "chain_broken": (
        "the chain does not follow from what stands before",
        "chuỗi niêm phong không nối tiếp mục đứng trước",
    ),
    "sealed_backwards": (
        "the time of sealing runs backwards",
        "thời điểm niêm phong chạy ngược",
    ),
    "signature": (
        "the signature is not this server's",
        "chữ ký không phải của máy chủ này",
    ),
    "anchor_differs": (
        "the anchor kept outside says otherwise",
        "khác với mốc neo đang giữ bên ngoài",
    ),
    "tail_cut": (
        "the anchor names a place that is gone: the tail was cut",
        "mốc neo chỉ vào mục không còn: phần cuối đã bị cắt",
    ),
    "tail_unsigned": (
        "the last place is not signed: the tail was cut",
        "mục cuối không có chữ ký: phần cuối đã bị cắt",
    ),
    "anchor_signature": (
        "the anchor's own signature is not this server's",
        "chữ ký của chính mốc neo không phải của máy chủ này",
    ),
    "unsealed": (
        "{count} entries wait for the sealer longer than they should",
        "{count} bản ghi chờ niêm phong quá lâu",
    ),
    "time_backwards": (
        "entry {entry}: its time runs backwards",
        "bản ghi {entry}: thời điểm chạy ngược",
    ),
    "row_unknown": ("{table} {row} has no entry", "{table} {row} không có bản ghi nào"),
    "row_key_gone": (
        "{table} {row} is a person's whose key is gone without an erasure",
        "{table} {row} là của người mà khóa đã mất, không có lệnh xóa",
    ),
    "row_differs": (
        "{table} {row} is not what its last entry says",
        "{table} {row} khác với bản ghi cuối về nó",
    ),
    "row_untold": (
        "{table} {row} was written without an entry",
        "{table} {row} bị sửa mà không có bản ghi",
    ),
    "row_gone": (
        "{table} {row} is gone, and no entry says so",
        "{table} {row} đã mất, không có bản ghi nào nói vậy",
    ),
}
