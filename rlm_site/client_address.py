"""Work out, once a request, who asks: only the operator's own proxies (`TRUSTED_PROXIES`) are believed about that.

Afterwards the client's address is REMOTE_ADDR, scheme and host are those that the client asked for, and no forwarded
header is left for anybody to read.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import host_validation_re

RESOLVED = "rlm_site.client_address"  # marks an environ whose client is known
FORWARDED_HEADERS = ("HTTP_X_FORWARDED", "HTTP_FORWARDED", "HTTP_X_REAL_IP")  # beginnings of their names
_FORWARDED = re.compile("|".join(FORWARDED_HEADERS))

Address = IPv4Address | IPv6Address


def resolve_client(environ: dict[str, Any]) -> None:
    """Put the client's address, scheme and host where WSGI has them, and drop all forwarded headers."""
    if RESOLVED in environ:
        return
    environ[RESOLVED] = True
    names = "\n".join(environ)  # nearly always without any of them, which is seen sooner than by going through all
    found = [name for name in environ if name.startswith(FORWARDED_HEADERS)] if _FORWARDED.search(names) else []
    forwarded = {name: environ.pop(name) for name in found}
    address, is_ours = _peer(environ.get("REMOTE_ADDR", ""), tuple(settings.TRUSTED_PROXIES))
    environ["REMOTE_ADDR"] = address
    if not is_ours:
        return
    peer = ip_address(address)
    environ["REMOTE_ADDR"] = str(client_behind(peer, forwarded.get("HTTP_X_FORWARDED_FOR", "")))
    scheme = _last(forwarded.get("HTTP_X_FORWARDED_PROTO", ""))
    if scheme in {"http", "https"}:
        environ["wsgi.url_scheme"] = scheme
    host = _last(forwarded.get("HTTP_X_FORWARDED_HOST", ""))
    if host_validation_re.fullmatch(host):
        environ["HTTP_HOST"] = host


@lru_cache(maxsize=1024)
def _peer(remote_addr: str, proxies: tuple[IPv4Network | IPv6Network, ...]) -> tuple[str, bool]:
    """Return the address of who has connected, and whether it is one of our proxies; a local socket has none."""
    peer = parse_address(remote_addr)
    return (remote_addr, False) if peer is None else (str(peer), any(peer in network for network in proxies))


def client_behind(peer: Address, forwarded_for: str) -> Address:
    """Return the rightmost address that is no trusted proxy; what stands left of it or of nonsense may be forged."""
    client = peer
    for entry in reversed(forwarded_for.split(",")):
        address = parse_address(entry)
        if address is None:
            break
        client = address
        if not is_trusted(client):
            break
    return client


def parse_address(text: str) -> Address | None:
    """Return an address that may have a port, as IPv4 where that is what it stands for; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket or not _is_port(port):
            return None
    elif text.count(":") == 1:
        text, _colon, port = text.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return None
        return address.ipv4_mapped or address
    return address


def is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def limited_address(remote_addr: str) -> str:
    """Return what limits take for one client: an IPv4 address, or the network in which an IPv6 client picks its own."""
    address = parse_address(remote_addr)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False).network_address)
    return remote_addr


def limited_address_of(request: HttpRequest) -> str:
    return limited_address(request.META.get("REMOTE_ADDR", ""))


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit() and int(text[1:]) < 65536)


def _last(values: str) -> str:
    """Return the value of the nearest proxy, which adds its own at the end."""
    return values.rpartition(",")[2].strip().lower()
