"""The way to the server: which certificates count, and why no answer came, with what to do."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from requests.utils import select_proxy
from urllib3.exceptions import (
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ProxySchemeUnknown,
)
from urllib3.util import parse_url

from sources.signalwire.errors import ConfigurationError
from sources.signalwire.http.reasons import presentable

_ABOUT_PROXIES = (ProxyError, ProxySchemeUnknown, requests.exceptions.ProxyError)
_PROXY_SETTINGS = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_SPACE = "the setting sources.signalwire.space"
# OpenSSL's codes: not valid yet, expired; another host's, another address's
_WRONG_TIME, _WRONG_HOST = {9, 10}, {62, 64}


class Certificates(NamedTuple):
    """What servers' certificates are checked against: a file or folder, True for the usual ones.

    `folders` are looked into as well, as many as OpenSSL takes in one text.
    """

    verify: bool | str = True
    folders: str | None = None


def trusted_certificates() -> Certificates:
    """The certificates that the environment names, as other programs read it.

    Raises:
        ConfigurationError: it names a file that is not there.
    """
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(name):
            if not Path(path).exists():
                raise ConfigurationError(
                    f"{name} names {path}, which is not there; set it to a file of certificates,"
                    " or remove it"
                )
            return Certificates(path)
    file, folders = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR")
    # one that is not there counts for nothing, as with OpenSSL
    return Certificates(file if Path(file).is_file() else True, folders or None)


def why_no_answer(error: Exception, base: str, proxies: Mapping[str, str] | None) -> str:
    """What kept a request to the space at `base` from being answered, and what to do.

    `error` is what `requests` raised. The words never hold a password.
    """
    causes = list(_causes(error))
    proxy = select_proxy(base, dict(proxies or {}))
    host = parse_url(base).host or base
    if proxy and (words := _about_proxy(causes, _Proxy(proxy), host)):
        return words
    if refused := _refused_certificate(causes):
        return _about_certificate(refused, host)
    if isinstance(error, requests.exceptions.SSLError):
        return f"the secure connection to {host} could not be made ({_said(causes)})"
    if isinstance(error, InvalidSchema | InvalidURL | MissingSchema):
        return "a URL that cannot be read"
    if any(isinstance(cause, NameResolutionError | LocationValueError) for cause in causes):
        return f"the host {host} is not known; check {_SPACE}, and that names resolve here"
    through = f" through the proxy {_Proxy(proxy).place}" if proxy else ""
    if isinstance(error, requests.ConnectTimeout):
        return f"the connection to {host}{through} could not be made in time"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if any(isinstance(cause, NewConnectionError) for cause in causes):
        return f"the connection to {host}{through} could not be made ({_said(causes)})"
    if isinstance(error, requests.ConnectionError):
        return f"the connection to {host}{through} broke off"
    return f"{type(error).__name__}: the answer broke off or could not be read"


class _Proxy:
    """A proxy as messages name it: by its place, never with a password."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.rpartition("://")
        # the last @, because a password may hold others, and what else has a meaning in URLs
        host = re.match(r"[\w.:\[\]-]*", rest.rpartition("@")[2])
        self.place = f"{scheme or 'http'}://{host.group() if host else ''}"
        self.has_password = "@" in rest
        self.setting = next((n for n in _PROXY_SETTINGS if os.environ.get(n)), "HTTPS_PROXY")
        try:
            self.readable = bool(parse_url(url if "://" in url else f"http://{url}").host)
        except ValueError:
            self.readable = False


def _about_proxy(causes: list[BaseException], proxy: _Proxy, host: str) -> str | None:
    """What is wrong with the proxy, or with what it answered; None if it is not that."""
    check = f"check {proxy.setting}"
    if not proxy.readable:
        return (
            f"{proxy.setting} holds no URL that can be read; it is http://HOST:PORT, or"
            " http://USER:PASSWORD@HOST:PORT with %40 for an @ in the password and %2F for a /"
        )
    if any(isinstance(cause, InvalidSchema) and "SOCKS" in str(cause) for cause in causes):
        return (
            f"the proxy {proxy.place} speaks SOCKS, which needs a package that is not installed:"
            " pip install PySocks"
        )
    if not any(isinstance(cause, _ABOUT_PROXIES) for cause in causes):
        return None
    answered = re.search(r"Tunnel connection failed: (\d+)([^\n'\")]*)", str(causes[0]))
    if answered and answered[1] == "407":
        wants = (
            "does not accept this user and password"
            if proxy.has_password
            else "wants a user and a password"
        )
        return (
            f"the proxy {proxy.place} {wants} (407); set them in {proxy.setting}, as"
            " http://USER:PASSWORD@HOST:PORT"
        )
    if answered:
        words = presentable(answered[1] + answered[2])
        return f"the proxy {proxy.place} makes no connection to {host}: it answered {words}"
    if refused := _refused_certificate(causes):
        return _about_certificate(refused, f"the proxy {proxy.place}")
    if any(isinstance(cause, NameResolutionError) for cause in causes):
        return f"the host of the proxy {proxy.place} is not known; {check}"
    if any(isinstance(cause, ProxySchemeUnknown) for cause in causes):
        return f"the proxy {proxy.place} is of a kind that is not known; {check}"
    return (
        f"the proxy {proxy.place} cannot be reached ({_said(causes)}); does it run? {check},"
        f" or put {host} into NO_PROXY"
    )


def _about_certificate(refused: ssl.SSLCertVerificationError, host: str) -> str:
    words = presentable(refused.verify_message).rstrip(".")
    if refused.verify_code in _WRONG_TIME:
        return (
            f"the certificate of {host} does not hold now ({words}); is this machine's clock right?"
        )
    if refused.verify_code in _WRONG_HOST:
        return f"the certificate of {host} is another server's ({words}); check {_SPACE}"
    file = os.environ.get("SSL_CERT_FILE")
    missing = "" if not file or Path(file).is_file() else f" ({file} is not there)"
    return (
        f"the certificate of {host} is not trusted ({words}); if your network issues its own, set"
        f" SSL_CERT_FILE to the file of its root certificate{missing}"
    )


def _said(causes: list[BaseException]) -> str:
    """What the innermost cause says, such as `Connection refused`."""
    system = [cause for cause in causes if isinstance(cause, OSError) and cause.strerror]
    if system:
        return presentable(str(system[-1].strerror))
    return type(causes[-1]).__name__


def _refused_certificate(causes: list[BaseException]) -> ssl.SSLCertVerificationError | None:
    return next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that led to it, wherever the libraries keep that."""
    waiting: list[object] = [error]
    seen: list[BaseException] = []
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or any(cause is other for other in seen):
            continue
        seen.append(cause)
        yield cause
        kept = (getattr(cause, name, None) for name in ("reason", "original_error"))
        waiting += [*kept, *cause.args, cause.__cause__, cause.__context__]
