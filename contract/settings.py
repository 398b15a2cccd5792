"""The settings of a process: command line > environment > TOML file > default.

Takes `PENSTOCK_<NAME>` variables and a TOML file (`PENSTOCK_CONFIG`, else `penstock.toml` where it exists); gives one
frozen `Settings`. An unknown or wrong setting is one clear line (`Refused`).
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from contract.archive_url import parse_archive_url
from contract.errors import Refused
from contract.suggesting import did_you_mean

PREFIX = "PENSTOCK_"
_POSITIVE = (
    *("concurrency", "workers", "parsers", "deadline_seconds"),
    *("high_water_pages", "high_water_bytes", "max_wire_bytes", "max_body_bytes"),
    *("archive_segment_bytes", "archive_segment_seconds"),
)
#: More are a slip of the finger, and would take the machine down.
_MOST = {"workers": 1_000, "parsers": 1_000, "concurrency": 100_000}
_LAST_PORT = 65_535
#: Events that wait for a minute are as good as lost to whoever watches.
_LONGEST_GATHERING_SECONDS = 60
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an operator can set for a process; what belongs to one crawl is in `CrawlSpec`."""

    #: Where Redis is: redis://HOST:6379/0, rediss:// for TLS, unix:///PATH, or sentinel://HOST:26379,HOST:26379/NAME
    #: (see `contract.redis_url`); empty: `penstock crawl` starts a server of its own in the data folder.
    redis_url: str = ""
    #: Where SQL is; empty: SQLite in the data folder.
    database_url: str = ""
    #: The folder of the database, the archive, the embedded server's files and the logs.
    data: str = ".penstock"
    #: What all our keys in Redis begin with, so that the server can be shared.
    prefix: str = "penstock"
    #: True: private and loopback addresses may be fetched. False: they are excluded, at connect time.
    allow_private: bool = False
    #: Requests in flight in each fetch process.
    concurrency: int = 48
    #: Fetch processes (Celery's prefork children).
    workers: int = 2
    #: Parser processes.
    parsers: int = 2
    #: Dispatch stops while more than this many pages wait to be parsed or recorded.
    high_water_pages: int = 2_000
    #: Dispatch stops while more than this many bytes of bodies are held in Redis.
    high_water_bytes: int = 256 * 1024 * 1024
    #: Largest body over the network, in bytes; a larger one ends as failed (`body_too_large`).
    max_wire_bytes: int = 10 * 1024 * 1024
    #: Largest body after decoding, in bytes.
    max_body_bytes: int = 20 * 1024 * 1024
    #: Where the archive is: s3://BUCKET/PREFIX?endpoint=…&region=… or file:///FOLDER (`contract.archive_url`); empty:
    #: in the data folder. Credentials come from AWS_* in the environment, never from here.
    archive_url: str = ""
    #: How long a page may wait for company where a batch becomes an object of its own. More: fewer and larger objects,
    #: later news, more bodies in Redis.
    archive_gather_seconds: float = 5.0
    #: A segment of the archive that has grown beyond this many bytes is left, and the next one begun.
    archive_segment_bytes: int = 1024**3
    #: The same for one that was begun this long ago: what is left alone can be moved away.
    archive_segment_seconds: float = 3_600.0
    #: A request's whole time, from connecting to the body's end.
    deadline_seconds: float = 60.0
    # What one crawl does unless its command line or its spider says otherwise; None: as `CrawlSpec` has it.
    #: The crawl's name; None: the spider's, or the first seed's host. An unfinished crawl of that name goes on.
    name: str | None = None
    #: What to extract: FILE.py or module:attribute; None: title, text, metadata and links of every page.
    spider: str | None = None
    #: Begin at the sitemaps of the seeds' hosts too: those that robots.txt names, and /sitemap.xml.
    sitemaps: bool | None = None
    #: Seconds between the starts of two requests to one host.
    delay: float | None = None
    #: Requests in flight to one host.
    per_host: int | None = None
    #: Pages to fetch, redirects not counted; 0: no bound.
    max_pages: int | None = None
    #: Links from a seed; 0: no bound.
    max_depth: int | None = None
    #: URLs of one host that are taken up; 0: no bound.
    max_pages_per_host: int | None = None
    #: Links of one page that are taken up; the others are counted.
    max_links_per_page: int | None = None
    #: Of pages of one host with the very same body, the links of so many are taken up; 0: of all.
    same_body: int | None = None
    #: Characters of a URL; longer ones are left out.
    max_url_length: int | None = None
    #: Redirects in a row.
    max_hops: int | None = None
    #: Requests for one URL; what a host refuses for its rate does not count.
    max_attempts: int | None = None
    #: Where links may lead: the seeds' hosts, their domains, or anywhere.
    scope: Literal["host", "domain", "any"] | None = None
    #: Only URLs that match one of these. Regular expressions; in the environment separated by white space.
    allow: tuple[str, ...] | None = None
    #: No URLs that match one of these; as above.
    deny: tuple[str, ...] | None = None
    #: Ready patterns by name, besides `deny`: wiki-actions, sort-links, calendars, sessions, print-views.
    deny_preset: tuple[str, ...] | None = None
    #: True: robots.txt is neither asked for nor kept to.
    ignore_robots: bool | None = None
    #: Seconds. A host whose robots.txt asks for a longer crawl-delay is left out.
    max_crawl_delay: float | None = None
    #: Seconds for which a host whose robots.txt cannot be had is waited for; then it is given up.
    robots_patience: float | None = None
    #: Seconds for which a host that refuses every request is asked, more and more rarely; then it is given up.
    give_up_host: float | None = None
    #: Guess the encoding of pages that declare none, as Firefox does; needs the extra `detector`.
    detect_encoding: bool | None = None
    #: Follow the links of pages that ask not to, by `nofollow`.
    follow_nofollow: bool | None = None
    #: What else pages may ask: nofollow-links (`rel` of links), noindex, canonical.
    obey: tuple[str, ...] | None = None
    #: Who we say we are.
    user_agent: str | None = None
    #: Your mail address, or a page about you, for User-Agent and From; empty: none, None: not asked yet.
    contact: str | None = None
    #: Where the events of a crawl's life are posted, signed with `webhook_secret`; empty or None: nowhere.
    webhook: str | None = None
    #: What webhooks are signed with (HMAC-SHA256): text, or `whsec_` and base64. Without one they are not signed.
    webhook_secret: str = ""
    # The HTTP API.
    #: Where it listens. Anywhere but on loopback it wants a token.
    api_host: str = "127.0.0.1"
    #: Which port; 0: any that is free.
    api_port: int = 8000
    #: What a client must show; empty: nothing, on loopback only.
    api_token: str = ""
    #: Names under which it may be asked for (Host headers), beside localhost and the address it listens at.
    api_names: tuple[str, ...] = ()
    #: Spiders that it knows, each `FILE.py[:attribute]` or `module:attribute`; they are asked for by their own names.
    spiders: tuple[str, ...] = ()
    #: How `penstock crawl` shows what goes on: auto is live on a terminal, plain elsewhere.
    progress: Literal["auto", "live", "plain", "none"] = "auto"

    #: Python's level names; `INFO` has a line for each crawl, `DEBUG` one for each page.
    log_level: str = "INFO"
    #: `text` is for people, one line each; `json` for programs: one object a line, with crawl, URL key and stage.
    log_format: Literal["text", "json"] = "text"
    #: Where a stage process answers /metrics and /healthz; 0: nowhere, and nothing is counted. The processes of a
    #: one-machine cluster take this port and those behind it, in the order worker, scheduler, record, parse.
    metrics_port: int = 0
    #: The address of it. What is told there holds no secret, and there is no token.
    metrics_host: str = "127.0.0.1"
    #: Tell OpenTelemetry of each message that is handled (extra `otel`); the OTEL_* environment says where and how.
    traces: bool = False

    @property
    def folder(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.data).expanduser().absolute()

    @property
    def sql_url(self) -> str:
        """The database as a SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.folder / 'penstock.db'}"


def load(given: Mapping[str, Any] | None = None, *, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the three sources; `given` is the command line's, where None means not given."""
    from_file, from_environ = _from_file(environ), _from_environ(environ)
    from_words = {name: value for name, value in (given or {}).items() if value is not None}
    spelled = origins(from_words, environ=environ)
    merged = {**from_file, **from_environ, **from_words}
    try:
        settings = msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(error, merged, spelled) from None
    _check(settings, spelled)
    return settings


def origins(given: Mapping[str, Any] | None = None, *, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Each setting that is not left to its default → where it was set, as a person would spell it there."""
    spelled = {name: f"{name} in {settings_file(environ)}" for name in _from_file(environ)}
    spelled |= {name: PREFIX + name.upper() for name in _from_environ(environ)}
    return spelled | {name: "--" + name.replace("_", "-") for name, value in (given or {}).items() if value is not None}


def _explained(error: msgspec.ValidationError, values: Mapping[str, Any], spelled: Mapping[str, str]) -> Refused:
    # msgspec says "Expected `int`, got `str` - at `$.workers`", or "$.allow[...]" for what is inside.
    name = re.split(r"\W", str(error).rpartition("`$.")[2])[0]
    if name not in values:
        return Refused(f"wrong setting: {error}")
    return Refused(f"{spelled[name]} must be {_kind(get_type_hints(Settings)[name])}, not {values[name]!r}")


def _kind(hint: Any) -> str:
    """A type in plain words, its None left out."""
    if type(None) in get_args(hint):
        hint = get_args(hint)[0]
    if hint in _KINDS:
        return _KINDS[hint]
    return f"one of {', '.join(get_args(hint))}" if get_origin(hint) is Literal else "a list of texts"


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def as_environ(settings: Settings) -> dict[str, str]:
    """The same settings as environment variables, for a process that we start."""
    values = {name: value for name, value in msgspec.to_builtins(settings).items() if value is not None}
    return {PREFIX + name.upper(): _spelled(value) for name, value in values.items()}


def _spelled(value: Any) -> str:
    return " ".join(value) if isinstance(value, list | tuple) else str(value)


def _from_file(environ: Mapping[str, str]) -> dict[str, Any]:
    path = settings_file(environ)
    if not environ.get(PREFIX + "CONFIG") and not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"cannot read the settings file {path}: {error}") from None
    for name in values:
        if name not in Settings.__struct_fields__:
            meant = did_you_mean(name, Settings.__struct_fields__)
            raise Refused(f"unknown setting {name!r}{meant} in {path}; `penstock help settings` has them all")
    return values


def settings_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the settings file is, or would be."""
    return Path(environ.get(PREFIX + "CONFIG") or "penstock.toml")


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    unknown = [key for key in environ if key.startswith(PREFIX) and key not in names and key != PREFIX + "CONFIG"]
    if unknown:
        meant = did_you_mean(unknown[0], names)
        raise Refused(
            f"unknown setting {unknown[0]} in the environment{meant}; `penstock help settings` tells them all"
        )
    hints = get_type_hints(Settings)
    return {name: _plain(environ[key], hints[name]) for key, name in names.items() if environ.get(key)}


def _plain(text: str, kind: Any) -> Any:
    if "tuple" in str(kind):
        return text.split()
    if "bool" in str(kind):
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)
    return text


def _check(settings: Settings, spelled: Mapping[str, str]) -> None:
    for name in _POSITIVE:
        value, most = getattr(settings, name), _MOST.get(name, 2**40)
        if not value > 0:
            raise Refused(f"{spelled[name]} must be more than 0, not {value}")
        if not value <= most:
            raise Refused(f"{spelled[name]} must be at most {most:,}, not {value}")
    if not 0 <= settings.archive_gather_seconds <= _LONGEST_GATHERING_SECONDS:
        most = _LONGEST_GATHERING_SECONDS
        raise Refused(f"{spelled['archive_gather_seconds']} must be 0 to {most}, not {settings.archive_gather_seconds}")
    try:
        parse_archive_url(settings.archive_url)
    except Refused as error:
        raise Refused(f"{spelled['archive_url']} {error}") from None
    if not 0 <= settings.metrics_port <= _LAST_PORT:
        raise Refused(f"{spelled['metrics_port']} must be a port or 0, not {settings.metrics_port}")
    if settings.log_level not in _LEVELS:
        raise Refused(f"{spelled['log_level']} must be one of {', '.join(_LEVELS)}, not {settings.log_level!r}")
