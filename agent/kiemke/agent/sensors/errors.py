"""Why a sensor has no answer; each error carries the status its sections are sent with."""


class SensorError(Exception):
    """The sensor could not tell."""

    status = "failed"


class SensorTimeoutError(SensorError):
    """What the sensor asked did not answer in time."""

    status = "timeout"


class SensorDeniedError(SensorError):
    """This account may not read it."""

    status = "denied"


class SensorAbsentError(SensorError):
    """This machine has no such thing."""

    status = "absent"
