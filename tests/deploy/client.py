"""A client of the cluster's API with its token, which also reads what the site saw of a crawl."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from penstock.site import RequestRecord, read_log

_LOOK_SECONDS = 0.1


class Client:
    """Speaks to the published port."""

    def __init__(self, place: tuple[str, int], token: str, *, site_log: Path) -> None:
        self.url, self._token, self._site_log = f"http://{place[0]}:{place[1]}", token, site_log

    def ask(self, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """GET, or POST of a body; raises HTTPError."""
        return json.loads(self._text(path, body, token=token))

    def metric(self, sample: str) -> float:
        """What the cluster's metrics say of `name{label="value"}`."""
        lines = (line.rpartition(" ") for line in self._text("/metrics").splitlines())
        return next(float(value) for name, _, value in lines if name == sample)

    def _text(self, path: str, body: Any = None, *, token: str | None = None) -> str:
        headers = {"Authorization": f"Bearer {token or self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.url + path, data, headers), timeout=30) as answer:
            return answer.read().decode()

    def crawl(self, seed: str, **options: Any) -> dict[str, Any]:
        """Begin a crawl of the whole web from its first page; its name is its user agent too."""
        return self.ask("/crawls", {"seeds": [seed], "scope": "any", "user_agent": options["name"], **options})

    def finished(self, crawl: str, *, seconds: float) -> dict[str, Any]:
        """The crawl when all of it is in SQL."""
        self.until(lambda: self.ask(f"/crawls/{crawl}")["complete"], seconds=seconds)
        return self.ask(f"/crawls/{crawl}")

    def outcomes(self, crawl: str) -> dict[str, str]:
        """URL → outcome, of every page of a crawl."""
        found: dict[str, str] = {}
        cursor = ""
        while cursor is not None:
            part = self.ask(f"/crawls/{crawl}/pages?limit=500" + (f"&cursor={cursor}" if cursor else ""))
            found |= {page["url"]: page["outcome"] for page in part["pages"]}
            cursor = part["next"]
        return found

    def seen(self, name: str) -> list[RequestRecord]:
        """What the site saw of a crawl."""
        return [record for record in read_log(self._site_log) if name in record.user_agent]

    def until(self, holds: Callable[[], bool], *, seconds: float) -> None:
        """Wait for what only the cluster can make true."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(_LOOK_SECONDS)
