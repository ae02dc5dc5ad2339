"""Connections that cannot be made: each says what is in the way, and what to do."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support import Workspace

from sources.signalwire.errors import ConfigurationError, Unavailable
from sources.signalwire.http.client import Client, HttpSettings

ACME = "https://acme.signalwire.com"
BRANDS = "/api/relay/rest/registry/beta/brands"
ONCE = HttpSettings(5, 1, 0.01, 0.05)
PASSWORD = "geheim-17"
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CERTIFICATES + PROXIES:
        monkeypatch.delenv(name, raising=False)


class QuietServer(ThreadingHTTPServer):
    """A server that prints nothing when a client ends the connection."""

    def handle_error(self, request: object, client_address: object) -> None: ...


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Starts a server on this machine with some handler, and gives its port."""
    servers: list[tuple[QuietServer, threading.Thread]] = []

    def start(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> int:
        server = QuietServer(("127.0.0.1", 0), handler)
        if context is not None:
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return int(server.server_port)

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(BaseHTTPRequestHandler):
    """A handler that writes nothing to the terminal."""

    def log_message(self, *_: object) -> None: ...


class Brands(Quiet):
    """A space without brands."""

    def do_GET(self) -> None:
        body = b'{"links": {}, "data": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def refusing(status: int, words: str) -> type[Quiet]:
    """A proxy that makes no connection."""

    class Proxy(Quiet):
        def do_CONNECT(self) -> None:
            self.send_response(status, words)
            self.end_headers()

    return Proxy


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def sentence(base: str = ACME) -> str:
    """What a client says that gets no answer."""
    client = Client(base, "project", "token", settings=ONCE)
    with pytest.raises(Unavailable) as failure:
        client.get(BRANDS)
    client.close()
    assert failure.value.__cause__ is None
    said = str(failure.value)
    assert PASSWORD not in said
    assert said.isprintable()
    return said


class TestProxies:
    @pytest.mark.parametrize("setting", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    def test_that_is_down(self, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
        port = free_port()
        monkeypatch.setenv(setting, f"http://me:{PASSWORD}@127.0.0.1:{port}")
        said = sentence()
        assert f"the proxy http://127.0.0.1:{port} cannot be reached (Connection refused)" in said
        assert f"check {setting}" in said

    @pytest.mark.parametrize(
        ("user", "words"),
        [("", "wants a user and a password"), (f"me:{PASSWORD}@", "does not accept this user")],
    )
    def test_that_wants_a_password(
        self,
        serve: Callable[..., int],
        monkeypatch: pytest.MonkeyPatch,
        user: str,
        words: str,
    ) -> None:
        port = serve(refusing(407, "Proxy Authentication Required"))
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{port}")
        said = sentence()
        assert f"the proxy http://127.0.0.1:{port} {words}" in said
        assert "set them in HTTPS_PROXY" in said

    @pytest.mark.parametrize(("status", "words"), [(403, "Forbidden"), (502, "No \x1b[31mroute")])
    def test_that_refuses(
        self, serve: Callable[..., int], monkeypatch: pytest.MonkeyPatch, status: int, words: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{serve(refusing(status, words))}")
        said = sentence()
        assert "makes no connection to acme.signalwire.com" in said
        assert f"it answered {status} {words[:2]}" in said

    def test_whose_host_is_not_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@proxy.invalid:3128")
        said = sentence()
        assert "the host of the proxy http://proxy.invalid:3128 is not known" in said
        assert "check HTTPS_PROXY" in said

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4"])
    def test_that_needs_a_package(self, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:{PASSWORD}@127.0.0.1:1080")
        said = sentence()
        assert f"the proxy {scheme}://127.0.0.1:1080 speaks SOCKS" in said
        assert "pip install PySocks" in said

    @pytest.mark.parametrize(
        "url",
        [
            f"http://me:{PASSWORD}#@127.0.0.1:3128",
            f"http://me:{PASSWORD}/@127.0.0.1:3128",
            f"http://me:x{PASSWORD}@[::1",
            "http://",
            "http://127.0.0.1:port",
        ],
    )
    def test_that_cannot_be_read(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setenv("HTTPS_PROXY", url)
        assert "HTTPS_PROXY holds no URL that can be read" in sentence()

    def test_of_an_unknown_kind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"gopher://me:{PASSWORD}@127.0.0.1:3128")
        assert "the proxy gopher://127.0.0.1:3128 is of a kind that is not known" in sentence()

    def test_the_command_says_so(
        self, serve: Callable[..., int], workspace: Workspace, tmp_path: Path
    ) -> None:
        port = serve(refusing(407, "Proxy Authentication Required"))
        for command in ("run", "check"):
            failed = workspace.command(
                command,
                SOURCES__SIGNALWIRE__SPACE="acme",
                SOURCES__SIGNALWIRE__PROJECT_ID="project",
                SOURCES__SIGNALWIRE__API_TOKEN="a-secret-token",
                HTTPS_PROXY=f"http://me:{PASSWORD}@127.0.0.1:{port}",
            )
            said = failed.stdout + failed.stderr
            assert failed.returncode == 1
            assert "does not accept this user and password (407)" in said
            assert "a-secret-token" not in said
            assert PASSWORD not in said


class TestHosts:
    @pytest.mark.parametrize("base", ["https://nosuch.invalid", f"https://{'x' * 64}.example"])
    def test_that_is_not_known(self, base: str) -> None:
        said = sentence(base)
        assert f"the host {base.removeprefix('https://')} is not known" in said
        assert "sources.signalwire.space" in said

    def test_that_refuses_the_connection(self) -> None:
        said = sentence(f"http://127.0.0.1:{free_port()}")
        assert "the connection to 127.0.0.1 could not be made (Connection refused)" in said

    def test_that_speaks_no_tls(self, serve: Callable[..., int]) -> None:
        said = sentence(f"https://127.0.0.1:{serve(Brands)}")
        assert "the secure connection to 127.0.0.1 could not be made" in said


@pytest.mark.proof
class TestCertificates:
    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[..., tuple[Path, ssl.SSLContext]]:
        """Makes a certificate that only itself vouches for, and what a server needs of it."""

        def made(name: str = "127.0.0.1", days: int = 1) -> tuple[Path, ssl.SSLContext]:
            key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
            what = "IP" if name[0].isdigit() else "DNS"
            (tmp_path / "names").write_text(f"subjectAltName={what}:{name}", "utf-8")
            for command in (
                "openssl req -newkey rsa:2048 -nodes -subj /CN=test -keyout key.pem -out request",
                f"openssl x509 -req -in request -signkey key.pem -days {days}"
                " -extfile names -out certificate.pem",
            ):
                subprocess.run(command.split(), check=True, capture_output=True, cwd=tmp_path)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            return certificate, context

        return made

    def test_that_is_not_trusted(
        self, serve: Callable[..., int], make: Callable[..., tuple[Path, ssl.SSLContext]]
    ) -> None:
        _, context = make()
        said = sentence(f"https://127.0.0.1:{serve(Brands, context)}")
        assert "the certificate of 127.0.0.1 is not trusted (self-signed certificate)" in said
        assert "set SSL_CERT_FILE" in said

    @pytest.mark.parametrize("setting", CERTIFICATES)
    def test_that_the_environment_names(
        self,
        serve: Callable[..., int],
        make: Callable[..., tuple[Path, ssl.SSLContext]],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        setting: str,
    ) -> None:
        certificate, context = make()
        place = str(certificate)
        if setting == "SSL_CERT_DIR":
            folder = tmp_path / "certificates"
            folder.mkdir()
            hashed = subprocess.run(
                ["openssl", "x509", "-hash", "-noout", "-in", place],
                check=True,
                capture_output=True,
                text=True,
            )
            shutil.copy(certificate, folder / f"{hashed.stdout.strip()}.0")
            place = f"{tmp_path / 'nothing'}:{folder}"
        monkeypatch.setenv(setting, place)
        base = f"https://127.0.0.1:{serve(Brands, context)}"
        client = Client(base, "project", "token", settings=ONCE)
        assert client.get(BRANDS).payload["data"] == []
        client.close()

    def test_of_another_host(
        self,
        serve: Callable[..., int],
        make: Callable[..., tuple[Path, ssl.SSLContext]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        certificate, context = make("elsewhere.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        said = sentence(f"https://127.0.0.1:{serve(Brands, context)}")
        assert "the certificate of 127.0.0.1 is another server's" in said
        assert "sources.signalwire.space" in said

    def test_that_does_not_hold_now(
        self,
        serve: Callable[..., int],
        make: Callable[..., tuple[Path, ssl.SSLContext]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        certificate, context = make(days=0)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        said = sentence(f"https://127.0.0.1:{serve(Brands, context)}")
        assert "does not hold now (certificate has expired); is this machine's clock right?" in said

    def test_a_file_that_is_not_there(
        self,
        serve: Callable[..., int],
        make: Callable[..., tuple[Path, ssl.SSLContext]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        _, context = make()
        monkeypatch.setenv("SSL_CERT_FILE", "/nothing.pem")
        said = sentence(f"https://127.0.0.1:{serve(Brands, context)}")
        assert "not trusted" in said
        assert "(/nothing.pem is not there)" in said
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nothing.pem")
        with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE names /nothing"):
            Client(ACME, "project", "token")
