"""A small crawl's WACZ file in the eyes of py-wacz and pywb: the one must call it valid, the other list and replay it.

    python -m tools.check_wacz PREFIX

PREFIX is a virtual environment that both are installed in (see Makefile). Prints a line for each thing that was looked
at; exit code 1 if there is a fault.
"""

import asyncio
import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from penstock.site import SiteOptions, running_site

PENSTOCK = (sys.executable, "-m", "penstock")
OPTIONS = SiteOptions(hosts=2, pages=30, error_rate=0.1)
#: What pywb serves: the answer as it was kept, without a banner and without links changed.
AS_KEPT = "id_"


def main(prefix: Path) -> int:
    """Crawl, export, and look; returns the number of faults."""
    with tempfile.TemporaryDirectory(prefix="ps") as folder:
        file, data = Path(folder, "crawl.wacz"), ("--data", str(Path(folder, "data")))
        asyncio.run(_crawl(data))
        subprocess.run([*PENSTOCK, "export", "wacz", "-o", file, *data], check=True)
        is_valid = subprocess.run([prefix / "bin/wacz", "validate", "-f", file], check=False).returncode == 0
        print(f"py-wacz: {'valid' if is_valid else 'NOT valid'}", flush=True)
        with _replayed(prefix, folder, file) as address:
            return (not is_valid) + _faults(address, file)


async def _crawl(data: Sequence[str]) -> None:
    async with running_site(OPTIONS, remember=False) as site:
        seeds = (site.root_url, f"{site.root_url}?b=2&A=1", f"{site.root_url}none/%C3%A4//x%20y/")
        options = ("--scope", "any", "--allow-private", "--delay", "0", "--progress", "none")
        crawl = await asyncio.create_subprocess_exec(*PENSTOCK, "crawl", *seeds, *options, *data)
        await crawl.wait()


@contextmanager
def _replayed(prefix: Path, folder: str, file: Path) -> Iterator[str]:
    """The address of pywb's collection of this file."""
    for words in (("init", "crawl"), ("add", "--unpack-wacz", "crawl", file)):
        subprocess.run([prefix / "bin/wb-manager", *words], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    served = subprocess.Popen(
        [prefix / "bin/python", "-u", "-c", _SERVER], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert served.stdout is not None
        port = next(line.split()[1] for line in served.stdout if line.startswith(b"port "))
        yield f"http://127.0.0.1:{port.decode()}/crawl/"
    finally:
        served.terminate()
        served.wait()


#: pywb's own server on a free port, which it prints.
_SERVER = """
from gevent.pywsgi import WSGIServer
from pywb.apps.frontendapp import FrontEndApp
server = WSGIServer(("127.0.0.1", 0), FrontEndApp(), log=None)
server.start()
print("port", server.server_port, flush=True)
server.serve_forever()
"""


def _faults(address: str, file: Path) -> int:
    """Whether each answer of the index is listed, and each page replayed as it was kept."""
    with zipfile.ZipFile(file) as parts:
        lines = [line.split(" ", 2) for line in parts.read("indexes/index.cdx").decode().splitlines()]
        pages = [json.loads(line) for line in parts.read("pages/pages.jsonl").splitlines()[1:]]
    answers = {(stamp, facts["url"]): facts for _, stamp, facts in ((*line[:2], json.loads(line[2])) for line in lines)}
    missing = [url for (stamp, url), facts in answers.items() if not _is_listed(address, stamp, facts)]
    listed = [("".join(filter(str.isdigit, page["ts"])), page["url"]) for page in pages]
    unlike = [url for stamp, url in listed if _replayed_digest(address, stamp, url) != answers[stamp, url]["digest"]]
    print(f"pywb: lists {len(answers) - len(missing)} of {len(answers)} answers, {missing[:5]} missing")
    print(f"pywb: replays {len(pages) - len(unlike)} of {len(pages)} pages byte for byte, {unlike[:5]} differ")
    return len(missing) + len(unlike) + (not pages)


def _is_listed(address: str, stamp: str, facts: dict[str, str]) -> bool:
    query = urllib.parse.urlencode({"url": facts["url"], "output": "json"})
    with urllib.request.urlopen(f"{address}cdx?{query}") as reply:
        found = [json.loads(line) for line in reply]
    return any((one["timestamp"], one["offset"]) == (stamp, facts["offset"]) for one in found)


def _replayed_digest(address: str, stamp: str, url: str) -> str:
    """The digest of what is replayed, as the index has it; of a failure, what it says."""
    try:
        with urllib.request.urlopen(f"{address}{stamp}{AS_KEPT}/{url}") as reply:
            return f"sha256:{base64.b32encode(hashlib.sha256(reply.read()).digest()).decode()}"
    except urllib.error.URLError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]).absolute()) else 0)
