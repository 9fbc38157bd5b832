"""Logs: one event one line, JSON, with fields. Text from outside is escaped by JSON itself."""

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# uvicorn adds a coloured copy of its message.
_LEFT_OUT = _STANDARD | {"color_message"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object: at, level, logger, event, the extra fields, trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Control and non-ASCII characters come out as \\u escapes."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        for name, value in record.__dict__.items():
            if name not in _LEFT_OUT:
                entry[name] = value
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=True, default=str)


def set_up_logs(level: int = logging.INFO) -> None:
    """Send every log of this process to standard error in JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    # One line a request would drown what matters; the metrics count requests.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
