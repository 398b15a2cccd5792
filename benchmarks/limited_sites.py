"""Sites behind limiters: a folder of pages, served by nginx and HAProxy as their manuals say, or by a token bucket.

Takes a folder; gives each limiter's address, and what its own log says of who came. Owns the servers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from aiohttp import web


class Limiter(msgspec.Struct, frozen=True):
    """A limiter: how many requests a second it allows, and how it is asked. `rule` is in its own language."""

    name: str
    kind: str
    rule: str
    allowed: float
    delay: float = 1.0
    at_once: int = 1


LIMITERS = (
    Limiter("nginx 30r/m", "nginx", "rate=30r/m|", 0.5),
    Limiter("nginx 60r/m burst 5", "nginx", "rate=60r/m|burst=5", 1.0),
    Limiter("nginx 5r/s burst 5, 8", "nginx", "rate=5r/s|burst=5", 5.0, 0.0, 8),
    Limiter("haproxy 30/60s", "haproxy", "http_req_rate(60s)|30", 0.5),
    Limiter("haproxy 50/10s, 8", "haproxy", "http_req_rate(10s)|50", 5.0, 0.0, 8),
    Limiter("bucket 2/s of 10", "bucket", "2|10", 2.0, 0.2, 4),
)
#: So much of the time is needed by a crawler that goes as fast as it is allowed to.
_SHARE = 0.75


class Seen(msgspec.Struct):
    """What a limiter saw: when it answered for good, and what; and how often it refused."""

    answered: list[float] = []
    paths: list[str] = []
    refused: int = 0

    def add(self, at: float, status: int, path: str) -> None:
        """Note a request."""
        if status in (429, 503):
            self.refused += 1
        elif status == 200 and path.startswith("/p"):
            self.answered.append(at)
            self.paths.append(path)
        else:
            self.answered.append(at)

    def rate_after(self, seconds: float) -> float:
        """Answers a second from then on, to the last one."""
        if not self.answered or self.answered[-1] - self.answered[0] <= seconds:
            return 0.0
        late = [at for at in self.answered if at - self.answered[0] >= seconds]
        return len(late) / max(0.001, late[-1] - self.answered[0] - seconds)


class Site(msgspec.Struct, frozen=True):
    """A site behind a limiter."""

    limiter: Limiter
    url: str
    pages: int
    log: Path

    def seen(self) -> Seen:
        """What its log says: lines of time, status, path."""
        found = Seen()
        for line in self.log.read_text().splitlines():
            at, status, path = line.split()[-3:]
            found.add(float(at), int(status), path)
        return found


@contextlib.asynccontextmanager
async def serving(folder: Path, *, seconds: float) -> AsyncIterator[list[Site]]:
    """All limiters, each with a site of its own behind it."""
    ports = _free_ports(2 * len(LIMITERS))
    sites = [
        Site(one, f"http://127.0.0.1:{port}/", max(10, int(one.allowed * seconds * _SHARE)), folder / f"log{port}")
        for one, port in zip(LIMITERS, ports, strict=False)
    ]
    behind = dict(zip([site.url for site in sites], ports[len(sites) :], strict=True))
    for site in sites:
        site.log.touch()
        _write_pages(folder / str(_port(site)), site.pages)
    folder.chmod(0o755)
    async with contextlib.AsyncExitStack() as stack:
        for words in (_nginx(folder, sites, behind), *_haproxies(folder, sites, behind)):
            process = await asyncio.create_subprocess_exec(
                *words, stdout=_log_of(words), stderr=asyncio.subprocess.DEVNULL
            )
            stack.push_async_callback(_ended, process)
        for site in sites:
            if site.limiter.kind == "bucket":
                await stack.enter_async_context(_bucket(folder, site))
        await asyncio.sleep(1)
        yield sites


def _port(site: Site) -> int:
    return int(site.url.rstrip("/").rpartition(":")[2])


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        bound = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in bound]


def _write_pages(folder: Path, pages: int) -> None:
    folder.mkdir()
    links = "".join(f'<a href="/p{number}.html">{number}</a>\n' for number in range(pages))
    (folder / "index.html").write_text(f"<title>All</title>{links}")
    for number in range(pages):
        (folder / f"p{number}.html").write_text(f"<title>{number}</title><p>Page {number}.</p>")


async def _ended(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    await process.wait()


_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit; {user}
events {{ worker_connections 256; }}
http {{
  types {{ text/html html; }}
  log_format seen '$msec $status $uri';
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
{zones}{servers}}}
"""


def _nginx(folder: Path, sites: list[Site], behind: dict[str, int]) -> list[str]:
    zones = servers = ""
    for site in sites:
        limit, port = "", _port(site)
        if site.limiter.kind == "nginx":
            rate, burst = site.limiter.rule.split("|")
            zones += f"  limit_req_zone $binary_remote_addr zone=z{port}:1m {rate};\n"
            limit, log = f"limit_req zone=z{port} {burst};", f"access_log {site.log} seen;"
        elif site.limiter.kind == "haproxy":
            port, log = behind[site.url], "access_log off;"
        else:
            continue
        servers += (
            f"  server {{ listen 127.0.0.1:{port}; root {folder}/{_port(site)}; {log} location / {{ {limit} }} }}\n"
        )
    user = "user root;" if os.geteuid() == 0 else ""
    text = _NGINX.format(folder=folder, zones=zones, servers=servers, user=user)
    (folder / "nginx.conf").write_text(text)
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


_HAPROXY = """
global
  log stdout format raw local0
defaults
  mode http
  log global
  log-format "%Ts.%ms %ST %HP"
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:{port}
  stick-table type ip size 1k expire 120s store {counter}
  http-request track-sc0 src
  http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {most} }}
  default_backend back
backend back
  server one 127.0.0.1:{behind}
"""


def _haproxies(folder: Path, sites: list[Site], behind: dict[str, int]) -> list[list[str]]:
    found = []
    for site in sites:
        if site.limiter.kind == "haproxy":
            counter, most = site.limiter.rule.split("|")
            path = folder / f"{site.log.name}.cfg"
            path.write_text(_HAPROXY.format(port=_port(site), counter=counter, most=most, behind=behind[site.url]))
            found.append(["haproxy", "-f", str(path)])
    return found


def _log_of(words: list[str]) -> int:
    """HAProxy says on its standard output who came."""
    path = words[-1].removesuffix(".cfg") if words[0] == "haproxy" else os.devnull
    return os.open(path, os.O_WRONLY | os.O_APPEND)


@contextlib.asynccontextmanager
async def _bucket(folder: Path, site: Site) -> AsyncIterator[None]:
    rate, most = map(float, site.limiter.rule.split("|"))
    tokens, filled = most, time.monotonic()

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal tokens, filled
        now = time.monotonic()
        tokens, filled = min(most, tokens + (now - filled) * rate), now
        path = folder / str(_port(site)) / (request.path.lstrip("/") or "index.html")
        status = 429 if tokens < 1 else 200 if path.is_file() else 404
        tokens -= status != 429
        with site.log.open("a") as log:
            log.write(f"{time.time():.3f} {status} {request.path}\n")
        return web.Response(status=status, text=path.read_text() if status == 200 else "", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", _port(site)).start()
    try:
        yield
    finally:
        await runner.cleanup()
