"""Asking the server for the assignment, over the same pinned TLS as the reports. Blocking."""

import json

from kiemke.collectors.assignment import Assignment, parse_assignment
from kiemke.collectors.errors import AssignmentError
from kiemke.wire.client import Credentials
from kiemke.wire.link import Link, Unreachable
from kiemke.wire.pin import PinError

ASSIGNMENT_PATH = "/api/v1/assignment"
TIMEOUT_SECONDS = 20.0
ADVICE = {
    401: "the server does not know this collector: enrol it again",
    403: "this collector was revoked: ask the server's administrator",
    404: "the server has no assignments: it is older than this collector",
    409: "the server quarantined this collector: is its disk a clone?",
}


def fetch_assignment(credentials: Credentials) -> Assignment:
    """Return the current assignment. Raises AssignmentError saying what the server answered."""
    return parse_assignment(ask_server(credentials, ASSIGNMENT_PATH))


def ask_server(credentials: Credentials, path: str) -> object:
    """Return the JSON that the server answers this collector. Raises AssignmentError."""
    try:
        link = Link(credentials.addresses, credentials.pins, TIMEOUT_SECONDS)
    except PinError as err:
        raise AssignmentError(f"assignment: {err}; enrol this collector again") from err
    headers = {
        "Authorization": f"Bearer {credentials.secret}",
        "X-Kiemke-Source": credentials.source,
    }
    try:
        reply = link.request("GET", path, None, headers)
    except Unreachable as err:
        raise AssignmentError(f"assignment: no server answers ({err})") from err
    finally:
        link.close()
    if reply.status != 200:
        advice = ADVICE.get(reply.status, "see the server's log")
        words = f"assignment: the server answered {reply.status}; {advice}"
        raise AssignmentError(words, status=reply.status)
    try:
        answer: object = json.loads(reply.body)
    except (ValueError, RecursionError) as err:
        raise AssignmentError("assignment: the answer is not JSON") from err
    return answer
