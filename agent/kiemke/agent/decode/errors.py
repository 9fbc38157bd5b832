"""The one error every decoder raises."""


class DecodeError(Exception):
    """The bytes are not what they were said to be; the message names what is wrong with them."""
