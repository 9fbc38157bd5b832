"""Guarded questions to Windows' own objects, asked in a child that may be killed (see commands.probe).

Sources: iwscapi.h (Security Center), shobjidl_core.h and propsys.h (BitLocker, as Explorer shows it).
Neither needs WMI nor an administrator.
"""

import ctypes
import uuid
from typing import Any

from kiemke.agent.windows.live import library

PRODUCT_LIST = "17072F7B-9ABE-4A74-A261-1EB76B55107A"  # CLSID_WSCProductList
I_PRODUCT_LIST = "722A338C-6E8E-4E72-AC27-1417FB0C81C2"
I_SHELL_ITEM_2 = "7E9FB0D3-919F-4307-AB2E-9B1860310C93"
INPROC_SERVER = 1
ANTIVIRUS = 4  # WSC_SECURITY_PROVIDER_ANTIVIRUS
# Places in the tables of methods, IUnknown and IDispatch before them counted.
RELEASE, LIST_INITIALIZE, LIST_COUNT, LIST_ITEM = 2, 7, 8, 9
PRODUCT_NAME, PRODUCT_STATE, SIGNATURE_STATUS = 7, 8, 9
ITEM_INT32 = 16
MOST_PRODUCTS = 32


def antivirus() -> list[dict[str, object]]:
    """Return name, state and signature status of each product Security Center knows.

    States: 0 on, 1 off, 2 snoozed, 3 expired; signatures: 0 old, 1 current (iwscapi.h). Raises OSError.
    """
    ole = library("ole32")
    _check(ole.CoInitializeEx(None, 0))
    products = ctypes.c_void_p()
    class_id, interface = _guid(PRODUCT_LIST), _guid(I_PRODUCT_LIST)
    _check(ole.CoCreateInstance(class_id, None, INPROC_SERVER, interface, ctypes.byref(products)))
    _call(products, LIST_INITIALIZE, ANTIVIRUS)
    count = ctypes.c_int32()
    _call(products, LIST_COUNT, count)
    found = []
    for index in range(min(count.value, MOST_PRODUCTS)):
        product = ctypes.c_void_p()
        _call(products, LIST_ITEM, index, product)
        state, signatures = ctypes.c_int32(), ctypes.c_int32()
        _call(product, PRODUCT_STATE, state)
        _call(product, SIGNATURE_STATUS, signatures)
        found.append({"name": _name(product), "state": state.value, "signatures": signatures.value})
        _call(product, RELEASE)
    return found


def _name(product: Any) -> str:
    """Return a product's name, a BSTR that is ours to free."""
    words = ctypes.c_void_p()
    _call(product, PRODUCT_NAME, words)
    try:
        return ctypes.wstring_at(words.value) if words.value else ""
    finally:
        free = library("oleaut32").SysFreeString
        free.argtypes = (ctypes.c_void_p,)
        free(words)


def bitlocker(mount_points: list[str]) -> dict[str, int]:
    """Return what Explorer shows of each volume's protection (System.Volume.BitLockerProtection).

    0 cannot be encrypted, 1 on, 2 off, 3 encrypting, 4 decrypting, 5 suspended, 6 locked. Raises OSError.
    """
    _check(library("ole32").CoInitializeEx(None, 0))
    key = (ctypes.c_uint8 * 20)()
    name = ctypes.c_wchar_p("System.Volume.BitLockerProtection")
    _check(library("propsys").PSGetPropertyKeyFromName(name, key))
    interface, create = _guid(I_SHELL_ITEM_2), library("shell32").SHCreateItemFromParsingName
    found = {}
    for place in mount_points:
        item = ctypes.c_void_p()
        if create(ctypes.c_wchar_p(place), None, interface, ctypes.byref(item)) or not item.value:
            continue
        value = ctypes.c_int32()
        try:
            _call(item, ITEM_INT32, key, value)
            found[place] = value.value
        except OSError:
            pass  # a CD drive, a network drive
        _call(item, RELEASE)
    return found


def _guid(text: str) -> Any:
    return (ctypes.c_uint8 * 16).from_buffer_copy(uuid.UUID(text).bytes_le)


def _call(target: Any, place: int, *arguments: Any) -> None:
    """Call the method at ``place`` of an object's table; an int goes as a ULONG, the rest by address.

    Raises OSError on a failure code.
    """
    table = ctypes.cast(target, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p)))
    # CFUNCTYPE is the same on 64-bit Windows, where there is one calling convention.
    prototype: Any = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)
    kinds = [ctypes.c_uint32 if isinstance(one, int) else ctypes.c_void_p for one in arguments]
    method = prototype(ctypes.c_int32, ctypes.c_void_p, *kinds)(table[0][place])
    given = [one if isinstance(one, int) else ctypes.addressof(one) for one in arguments]
    result = method(target, *given)
    if place != RELEASE:
        _check(result)


def _check(result: int) -> None:
    """Raise OSError for a failure code (its highest bit is set)."""
    if result & 0x80000000:
        raise OSError(f"failure code {result & 0xFFFFFFFF:08x}")
