"""Since when a port is up or down, and how often it changed: from two readings of it."""

from dataclasses import dataclass

# ifLastChange moves with a change of state only; some agents count it by a clock of their own.
_SLACK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """One reading of a port's state at one moment.

    ``last_change_seconds`` is the sysUpTime at which it took this state, 0.0 for "before sysUpTime began".
    """

    at_ms: int
    is_up: bool | None
    sys_uptime_seconds: float | None
    last_change_seconds: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """Since when the state holds (None: cannot be told) and how many changes have been seen."""

    since_ms: int | None
    changes: int


def follow(before: State | None, course: Course, after: State) -> Course:
    """Return the course of a port after one more reading.

    What the device says of the moment counts; where it says none, a change lies between the readings and
    is told as of the later one. A port that is up in both readings but took that state in between was
    down in between: two changes, though no counter began anew. Of a device that restarted in between the
    earlier reading says nothing.
    """
    told = told_since(after)
    if before is None or _has_restarted(before, after) or None in (before.is_up, after.is_up):
        return Course(told, course.changes)
    if before.is_up != after.is_up:
        return Course(told if told is not None else after.at_ms, course.changes + 1)
    if _has_moved(before, after):
        return Course(told, course.changes + 2)
    return Course(told if told is not None else course.since_ms, course.changes)


def told_since(state: State) -> int | None:
    """Return the moment of the last change as the device tells it, None where it does not.

    sysUpTime wraps after 497 days and ifLastChange stays behind: then nothing can be told.
    """
    uptime, change = state.sys_uptime_seconds, state.last_change_seconds
    if uptime is None or change is None or not 0.0 < change <= uptime:
        return None
    return state.at_ms - round((uptime - change) * 1000)


def _has_restarted(before: State, after: State) -> bool:
    earlier, later = before.sys_uptime_seconds, after.sys_uptime_seconds
    return earlier is not None and later is not None and later < earlier


def _has_moved(before: State, after: State) -> bool:
    """Say whether the state was taken anew between two readings that show the same one."""
    if after.last_change_seconds is None or before.last_change_seconds is None:
        return False
    if before.sys_uptime_seconds is None or told_since(after) is None:
        return False
    return (
        after.last_change_seconds > before.last_change_seconds + _SLACK_SECONDS
        and after.last_change_seconds >= before.sys_uptime_seconds - _SLACK_SECONDS
    )
