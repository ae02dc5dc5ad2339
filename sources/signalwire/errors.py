"""What can go wrong while reading a space."""


class SignalWireError(Exception):
    """Base of all errors the source raises on purpose; its text is for people."""


class ConfigurationError(SignalWireError):
    """A setting cannot work. Raised before anything is sent."""


class AccessDenied(SignalWireError):
    """The space refused the credentials (401) or the token lacks a scope (403); ends the run."""


class Stopped(SignalWireError):
    """The run is ending; no further requests are sent."""


class ReadError(SignalWireError):
    """One list or record could not be read; the rest can."""


class NotFound(ReadError):
    """The API answered 404: the thing is gone, or belongs to another project."""


class Unavailable(ReadError):
    """The API kept failing after all tries: 429, 5xx, network, broken bodies."""


class ProtocolError(ReadError):
    """The API answered with something that it does not promise, and that is not safe to use."""


class Refused(ProtocolError):
    """The API refused the request: another 4xx, or a 200 that holds an error after all tries."""
