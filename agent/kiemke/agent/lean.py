"""A dataclass decorator that writes no code: what stands in for ``dataclasses`` in the running agent.

The library compiles five functions for each class, a megabyte for the agent's hundred classes. Here all
classes share one of each, which take their fields from the class. They are slower by microseconds: an office
PC's agent makes a dozen objects a minute. Of the library it has what the running agent uses; a class that
asks for more is refused when it is made.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast


class FrozenInstanceError(AttributeError):
    """An attribute of a frozen object was set or deleted."""


class _Missing:
    """The type of MISSING."""


MISSING: Any = _Missing()
FIELDS = "__dataclass_fields__"  # the library's own name: it tells a dataclass by it


class Field:
    """One field: its name, and its default or what makes one (MISSING where there is none)."""

    __slots__ = ("default", "default_factory", "name")

    def __init__(self, name: str, default: Any, default_factory: Any) -> None:
        """Take what the class said."""
        self.name = name
        self.default = default
        self.default_factory = default_factory


def field(*, default: Any = MISSING, default_factory: Any = MISSING) -> Any:
    """Return what says a field's default in a class body."""
    return Field("", default, default_factory)


def _fields_of(made: object) -> Mapping[str, Field]:
    return cast(Mapping[str, Field], getattr(type(made), FIELDS))


def _values(made: object) -> tuple[Any, ...]:
    return tuple([getattr(made, name) for name in _fields_of(made)])


def _init(self: object, *given: Any, **named: Any) -> None:
    """Set every field: by place, by name or by its default. Raises TypeError."""
    told = _fields_of(self)
    if len(given) > len(told):
        raise TypeError(f"{type(self).__name__} has {len(told)} fields, {len(given)} were given")
    for place, (name, one) in enumerate(told.items()):
        if place < len(given):
            value = given[place]  # given by name too, it is left over below
        elif name in named:
            value = named.pop(name)
        elif one.default is not MISSING:
            value = one.default
        elif one.default_factory is not MISSING:
            value = one.default_factory()
        else:
            raise TypeError(f"{type(self).__name__}: {name} is missing")
        object.__setattr__(self, name, value)
    if named:
        raise TypeError(f"{type(self).__name__}: {', '.join(named)} given twice or unknown")


def _repr(self: object) -> str:
    told = ", ".join(f"{name}={getattr(self, name)!r}" for name in _fields_of(self))
    return f"{type(self).__qualname__}({told})"


def _eq(self: object, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: object) -> int:
    return hash(_values(self))


def _shut(self: object, name: str, value: object = None) -> None:
    """Refuse to set or delete. Raises FrozenInstanceError."""
    raise FrozenInstanceError(f"cannot change {type(self).__name__}.{name}: it is frozen")


def dataclass(
    kind: type | None = None, /, *, frozen: bool = False, slots: bool = False
) -> type | Callable[[type], type]:
    """Return the class as a dataclass, as the library's decorator does."""
    if kind is not None:
        return _made(kind, is_frozen=frozen, has_slots=slots)
    return lambda one: _made(one, is_frozen=frozen, has_slots=slots)


def _made(kind: type, *, is_frozen: bool, has_slots: bool) -> type:
    """Return ``kind`` with its fields and the shared functions. Raises TypeError where more is asked."""
    told: dict[str, Field] = {}
    for base in kind.__mro__[:0:-1]:
        told |= getattr(base, FIELDS, {})
    own = tuple(kind.__dict__.get("__annotations__", ()))
    words = dict(kind.__dict__)
    if not has_slots or "__slots__" in words or "__post_init__" in words:
        raise TypeError(
            f"{kind.__name__}: dataclass(slots=True) without __post_init__ is all there is"
        )
    for name in own:
        default = words.pop(name, MISSING)
        if isinstance(default, Field):
            told[name] = Field(name, default.default, default.default_factory)
        else:
            told[name] = Field(name, default, MISSING)
    words.pop("__dict__", None)
    words.pop("__weakref__", None)
    words |= {FIELDS: told, "__match_args__": tuple(told), "__slots__": own}
    # A function that the class has written itself stays.
    for name, function in (("__init__", _init), ("__repr__", _repr), ("__eq__", _eq)):
        words.setdefault(name, function)
    if is_frozen:
        words |= {"__setattr__": _shut, "__delattr__": _shut}
    if words.get("__hash__") is None:
        words["__hash__"] = _hash if is_frozen else None
    made: type = type(kind)(kind.__name__, kind.__bases__, words)
    made.__qualname__ = kind.__qualname__
    return made


def fields(kind: object) -> tuple[Field, ...]:
    """Return the fields of a dataclass or of an object of one, in order."""
    owner = kind if isinstance(kind, type) else type(kind)
    return tuple(getattr(owner, FIELDS).values())


def is_dataclass(one: object) -> bool:
    """Tell whether it is a dataclass or an object of one."""
    return hasattr(one if isinstance(one, type) else type(one), FIELDS)


def replace(made: Any, /, **changes: Any) -> Any:
    """Return a like object with some fields changed."""
    kept = {name: getattr(made, name) for name in _fields_of(made)}
    return type(made)(**{**kept, **changes})
