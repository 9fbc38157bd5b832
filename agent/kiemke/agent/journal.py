"""The agent's log: one event one line on standard error, which the service manager keeps.

Not the logging module: it would be a megabyte of the agent's memory on every office PC.
"""

from kiemke.agent.terminal import complain


def warn(message: str, **fields: object) -> None:
    """Write one line: the message, then its fields as key='value'. Never give it a secret."""
    complain(" ".join((message, *(f"{key}={str(value)!r}" for key, value in fields.items()))))
