"""All HTTP with the API: authentication, retries, and no trust in what comes back.

The retries themselves are dlt's (`dlt.sources.helpers.requests`): statuses that pass, connections
that fail or break and timeouts, with exponential backoff and `Retry-After`. Added here: broken
bodies and errors under a 200 are tried again too, a 429 slows all requests, and nothing is ever
sent to another origin.
"""

from __future__ import annotations

import base64
import hashlib
import math
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import requests
from dlt.sources.helpers import requests as dlt_requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RequestException
from urllib3.connectionpool import ConnectionPool, HTTPConnectionPool
from urllib3.exceptions import HTTPError as Urllib3Error

from sources.signalwire.errors import ProtocolError, Refused, Unavailable
from sources.signalwire.http.base_url import is_loopback
from sources.signalwire.http.concurrency import Concurrency
from sources.signalwire.http.connection import trusted_certificates, why_no_answer
from sources.signalwire.http.responses import (
    ErrorInBody,
    NotJson,
    Response,
    origin,
    payload_of,
    read_body,
    served_at,
    shown,
)
from sources.signalwire.http.server_clock import ServerClock
from sources.signalwire.http.throttle import Throttle, retry_after_seconds
from sources.signalwire.settings import (
    CONNECT_TIMEOUT,
    MAX_RETRY_AFTER,
    PASSING_STATUSES,
    REQUEST_BACKOFF_FACTOR,
    REQUEST_MAX_ATTEMPTS,
    REQUEST_MAX_RETRY_DELAY,
    REQUEST_TIMEOUT,
)
from sources.signalwire.stats import RunStats


class _Attempts(threading.local):
    """Of a thread: how often its request was sent, and the round of the one under way, if any.

    `began` is when that was sent, `connected` whether over a new connection.
    """

    count = 0
    round: int | None = None
    began = 0.0
    connected = False

    def seconds(self) -> float | None:
        """How long the one under way has taken; None if it had to connect first."""
        return None if self.connected else time.monotonic() - self.began


class HttpSettings(NamedTuple):
    """How patient the client is, by dlt's names; all times in seconds."""

    request_timeout: float = REQUEST_TIMEOUT
    request_max_attempts: int = REQUEST_MAX_ATTEMPTS
    request_backoff_factor: float = REQUEST_BACKOFF_FACTOR
    request_max_retry_delay: float = REQUEST_MAX_RETRY_DELAY


class _Line(NamedTuple):
    """A session, and what is the same in every request it sends.

    Preparing headers, proxies and certificates for each request takes as long as sending it.
    """

    session: requests.Session
    request: requests.PreparedRequest
    settings: Mapping[str, Any]

    def get(self, path: str, params: Mapping[str, str] | None) -> requests.Response:
        request = self.request.copy()
        if path.startswith("/"):
            # paths of our own need none of the care that a server's links do
            query = f"?{urlencode(params)}" if params else ""
            request.url = f"{str(request.url).rstrip('/')}{path}{query}"
        else:
            request.prepare_url(path, params)
        return self.session.send(request, **self.settings)


# statuses with which a server that is busy asks all clients to wait
_ASKING_FOR_A_PAUSE = frozenset((429, 503))

# also worth another try: a compressed body that breaks off, and a 200 that is not JSON or an error
_WORTH_RETRYING = (
    requests.ConnectionError,
    requests.Timeout,
    ChunkedEncodingError,
    ContentDecodingError,
    NotJson,
    ErrorInBody,
)


class Client:
    """Reads lists and records of one space; may be used from several threads at once.

    Every request under way has a session for itself, and with it a keep-alive connection.
    """

    def __init__(
        self,
        base: str,
        project_id: str,
        api_token: str,
        *,
        settings: HttpSettings | None = None,
        stats: RunStats | None = None,
        concurrency: Concurrency | None = None,
    ) -> None:
        """`concurrency` sets how many requests are under way; without it, one."""
        settings = settings or HttpSettings()
        self._base, self._origin = base, origin(base)
        self._stats = stats or RunStats()
        self.clock = ServerClock()
        self._of_thread = _Attempts()
        self._auth = _BasicAuth(project_id, api_token)
        # tells projects apart without naming one
        self.project = hashlib.blake2b(project_id.encode(), digest_size=6).hexdigest()
        self.concurrency = concurrency or Concurrency(1)
        self._throttle = Throttle(self.concurrency, settings.request_max_retry_delay)
        self._backoff = settings.request_backoff_factor
        timeout = settings.request_timeout
        self._new_client = partial(
            dlt_requests.Client,
            raise_for_status=False,
            status_codes=tuple(PASSING_STATUSES),
            exceptions=_WORTH_RETRYING,
            **(settings._asdict() | {"request_timeout": (min(CONNECT_TIMEOUT, timeout), timeout)}),
        )
        self._certificates = trusted_certificates()
        self._adapter_lock = threading.Lock()
        self._adapters: list[_Adapter] = []
        # the one used last comes first, so that no more connections are open than are needed
        self._lines: list[_Line] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._base}>"

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Response:
        """Sends a GET, as often as it may take, and returns the decoded response.

        `path` is a path below the space, or a URL of the same origin.

        Raises:
            AccessDenied: the credentials or their scopes are refused.
            NotFound: it does not exist for this project.
            Unavailable: it kept failing after all tries.
            ProtocolError: the response, or where it points, is not to be trusted.
            Stopped: the run is ending.
        """
        self._of_thread.count = 0
        # a line is taken when a request may be sent, and not before
        self._enter()
        line = self._lines.pop() if self._lines else self._new_line()
        try:
            response = line.get(path, params)
        except NotJson as error:
            raise Unavailable(f"GET {self._shown(path)} answered 200 with {error}") from None
        except ErrorInBody as error:
            raise Refused(
                f"GET {self._shown(path)} still answered 200 with an error after all tries: {error}"
            ) from None
        except requests.TooManyRedirects:
            raise ProtocolError(f"GET {self._shown(path)} redirects without an end") from None
        except (RequestException, Urllib3Error) as error:
            # "from None": the library's exceptions carry the request, and that the credentials
            why = why_no_answer(error, self._base, line.settings["proxies"])
            raise Unavailable(f"GET {self._shown(path)} failed: {why}") from None
        except ValueError:
            # what is sent is well-formed; a link, a redirect or a header of the server's is not
            raise ProtocolError(f"GET {self._shown(path)}: a URL that cannot be read") from None
        finally:
            self._leave()
            self._lines.append(line)
            self._stats.add(retries=max(0, self._of_thread.count - 1))
        served = self.clock.note(served_at(response))
        return Response(payload_of(response), response.url, served, self.clock.now())

    def _shown(self, path: str) -> str:
        return shown(f"{self._base}{path}" if path.startswith("/") else path)

    def stop(self) -> None:
        """Lets no further request out and wakes the threads that wait for their turn."""
        self._throttle.stop()

    def close(self) -> None:
        """Stops, and closes all connections."""
        self.stop()
        with self._adapter_lock:
            for adapter in self._adapters:
                adapter.close()
            self._adapters.clear()
            self._lines.clear()

    def _new_line(self) -> _Line:
        # one client of dlt's each: it gives each thread the same session again
        session, adapter = self._new_client().session, _Adapter(self)
        with self._adapter_lock:
            self._adapters.append(adapter)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.auth = self._auth
        session.headers["Accept"] = "application/json"
        session.hooks["response"].append(self._decode)
        # a proxy set for the outside world is no way to reach this machine itself
        session.trust_env = not is_loopback(urlsplit(self._base).hostname or "")
        request = session.prepare_request(requests.Request("GET", self._base))
        # stream: `_decode` reads the body itself
        settings = session.merge_environment_settings(self._base, {}, True, None, None)
        settings["verify"] = self._certificates.verify
        return _Line(session, request, settings)

    def _before_send(self, url: str) -> None:
        """What holds for every single request on the wire, retries and redirects included."""
        if not url.startswith(f"{self._base}/") and origin(url) != self._origin:
            raise ProtocolError(
                f"the API points to another server ({shown(url)}); not followed, because the"
                f" credentials belong to {self._base} alone"
            )
        self._enter()
        self._of_thread.count += 1
        self._stats.add(requests=1)

    def _enter(self) -> None:
        if self._of_thread.round is None:
            self._of_thread.round = self._throttle.enter()

    def _leave(self) -> None:
        if self._of_thread.round is not None:
            self._throttle.leave()
            self._of_thread.round = None

    def _decode(self, response: requests.Response, **_: Any) -> None:
        """Decodes a response inside dlt's retry, while it can still be tried again."""
        try:
            read_body(response, self._auth.secrets)
            if response.status_code not in PASSING_STATUSES:
                # with reading and decoding, so that it also shows when this machine is the slow one
                self._throttle.answered(self._round, self._of_thread.seconds())
        finally:
            self._leave()

    def _no_answer(self) -> None:
        self._throttle.failed(self._round)
        self._leave()

    def _after_answer(self, response: requests.Response) -> None:
        asked = None
        if "Retry-After" in response.headers:
            told = served_at(response)
            # a date there is by the same clock as the answer's own
            now = time.time() if told is None else told.timestamp()
            asked = retry_after_seconds(response.headers.pop("Retry-After"), now)
        if asked:
            # as whole seconds, because dlt fails at some of what servers put there
            response.headers["Retry-After"] = str(math.ceil(min(asked, MAX_RETRY_AFTER)))
        if asked is not None and response.status_code in _ASKING_FOR_A_PAUSE:
            self._throttle.refused(self._round, asked, asked=True)
        elif response.status_code == 429:
            self._throttle.refused(self._round, self._backoff, asked=False)
        elif response.status_code in PASSING_STATUSES:
            self._throttle.failed(self._round)
        if response.is_redirect:
            self._of_thread.count -= 1

    @property
    def _round(self) -> int:
        round_ = self._of_thread.round
        assert round_ is not None
        return round_


class _Adapter(HTTPAdapter):
    """Guards the wire: no request leaves for another origin, or before its time."""

    def __init__(self, client: Client) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._client = client
        self._pool: ConnectionPool | None = None

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> ConnectionPool:
        """The connections to the one origin, looked for once."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        """Has a connection check the server's certificate, also against folders of them."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        if verify:
            conn.ca_cert_dir = self._client._certificates.folders or conn.ca_cert_dir

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        self._client._before_send(str(request.url))
        connections = self._connections
        self._client._of_thread.began = time.monotonic()
        try:
            response = super().send(request, *args, **kwargs)
        except BaseException:
            self._client._no_answer()
            raise
        self._client._of_thread.connected = self._connections != connections
        self._client._after_answer(response)
        return response

    @property
    def _connections(self) -> int:
        return self._pool.num_connections if isinstance(self._pool, HTTPConnectionPool) else 0


class _BasicAuth(requests.auth.AuthBase):
    """Basic authentication that keeps its secret out of its `repr`."""

    def __init__(self, user: str, password: str) -> None:
        pair = base64.b64encode(f"{user}:{password}".encode())
        self._header = f"Basic {pair.decode('ascii')}"
        # what no message may repeat, should a server do so
        self.secrets = (pair.decode("ascii"), password, quote(password, safe=""))

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request
