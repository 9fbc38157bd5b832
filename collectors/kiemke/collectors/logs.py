"""Log lines of a collector: one event one line, the fields after it as key=value."""

import json
import logging
import sys

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """Writes time, level, event and the record's extra fields; values are quoted as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = super().format(record)
        fields = [
            f"{name}={json.dumps(value, ensure_ascii=True, default=str)}"
            for name, value in vars(record).items()
            if name not in _PLAIN
        ]
        head, newline, trace = line.partition("\n")
        return " ".join([head, *fields]) + newline + trace


def set_up_logs(*, debug: bool = False) -> None:
    """Log to standard error; ``debug`` concerns kiemke's own lines, not those of libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("kiemke").setLevel(logging.DEBUG if debug else logging.INFO)
