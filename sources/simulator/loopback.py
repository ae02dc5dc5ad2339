"""The addresses a simulated space may listen on."""

from __future__ import annotations

import ipaddress


def require_loopback(host: str) -> str:
    """The host, if only this machine can reach it; ValueError otherwise."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"{host} is not a loopback address: use 127.0.0.1, ::1 or localhost")
    return host


def url_of(host: str, port: int) -> str:
    """`http://127.0.0.1:8080` or `http://[::1]:8080`."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
