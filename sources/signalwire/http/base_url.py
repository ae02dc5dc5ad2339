"""Which server a `space` setting means. Nothing here touches the network."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from sources.signalwire.errors import ConfigurationError
from sources.signalwire.settings import API_ROOT

VENDOR_DOMAIN = "signalwire.com"
_SPACE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_EXPECTED = "expected a name such as 'acme', a host such as 'acme.signalwire.com', or an https URL"


def base_url(space: str) -> str:
    """The scheme, host and port that `space` stands for, such as `https://acme.signalwire.com`.

    Plain http is accepted for this machine alone (tests, the simulated space): the vendor refuses
    it, and it would show the credentials to everybody on the way.

    Raises:
        ConfigurationError: when `space` names no server that credentials may be sent to.
    """
    text = space.strip()
    if _SPACE_NAME.fullmatch(text):
        return f"https://{text.lower()}.{VENDOR_DOMAIN}"
    if text.lower().endswith(f".{VENDOR_DOMAIN}") and "/" not in text:
        text = f"https://{text}"
    return _checked_url(text, space)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _checked_url(text: str, space: str) -> str:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        # neither the text nor Python's reason is repeated: a token may have slipped into it
        raise ConfigurationError(f"space is no URL that can be read; {_EXPECTED}") from None
    host = url.hostname or ""
    if url.username is not None or url.password is not None:
        # not repeated in the message: what stands before the @ may be the token
        raise ConfigurationError(
            "space is a URL with a user or password in it; use project_id and api_token for those"
        )
    if url.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
        raise ConfigurationError(f"space {space!r} names no server; {_EXPECTED}")
    if url.path.rstrip("/") not in ("", API_ROOT) or url.query or url.fragment:
        raise ConfigurationError(f"space {space!r} has a path; only scheme and host belong there")
    if url.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"space {space!r} is plain http, which would show the credentials on the way; use https"
        )
    shown = f"[{host}]" if ":" in host else host.lower()
    return f"{url.scheme}://{shown}" + (f":{port}" if port is not None else "")
