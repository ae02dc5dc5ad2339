"""What can go wrong while reading a space.

SignalWireError
├── ConfigurationError   a setting that cannot work; nothing was sent
├── AccessDenied         401 or 403: the credentials or their scopes; ends the run
├── Stopped              the run is ending
└── ReadError            one list or record could not be read; the rest can
    ├── NotFound         404: it is gone, or another project's
    ├── Unavailable      still failing after all tries: 429, 5xx, network, broken bodies
    └── ProtocolError    an answer that is not what the API promises
        └── Refused      another 4xx, or a 200 that holds an error after all tries
"""


class SignalWireError(Exception):
    """Base of all errors the source raises on purpose; its text is for people."""


class ConfigurationError(SignalWireError):
    """A setting cannot work. Raised before anything is sent."""


class AccessDenied(SignalWireError):
    """The space refused the credentials (401) or the token lacks a scope (403)."""


class Stopped(SignalWireError):
    """The run is ending; no further requests are sent."""


class ReadError(SignalWireError):
    """One list or record could not be read."""


class NotFound(ReadError):
    """The API answered 404: the thing is gone, or belongs to another project."""


class Unavailable(ReadError):
    """The API kept failing after all tries."""


class ProtocolError(ReadError):
    """The API answered with something that it does not promise, and that is not safe to use."""


class Refused(ProtocolError):
    """The API refused the request: with another 4xx, or with an error in place of the answer."""
