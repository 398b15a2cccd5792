"""Finding the extractor that a crawl names.

Takes a reference, gives something with `name`, `version`, `follow` and `extract`. In a cluster spiders are named, not
sent: the file or module must be on the worker. Whatever is wrong is one line (`Refused`).
"""

import importlib
import importlib.util
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol

from contract.errors import Refused
from scraper.html.generic import Generic
from scraper.items import Given
from scraper.page import Page
from scraper.spider import Spider, given_args, source_version
from scraper.spider_path import add_folder, taken_names

#: Where our own frames lie, and those of libraries.
_OURS = f"{Path(__file__).parent}{os.sep}"
_LIBRARIES = tuple({f"{sysconfig.get_path(word)}{os.sep}" for word in ("stdlib", "platstdlib", "purelib", "platlib")})
_FILE = re.compile(r"(?P<path>.+\.py)(?::(?P<attribute>[^:/]+))?")
_MODULE = re.compile(r"(?P<module>[\w.]+)(?::(?P<attribute>[\w.]+))?")


class Extractor(Protocol):
    """What makes items of pages."""

    @property
    def name(self) -> str:
        """What the items' rows say made them."""

    @property
    def version(self) -> str:
        """Which version of it."""

    @property
    def follow(self) -> bool:
        """Whether all links of a page are handed on."""

    @property
    def surveys(self) -> bool:
        """Whether it wants what `page.survey` finds in one go."""

    @property
    def error_pages(self) -> tuple[str, ...]:
        """Which answers of 4xx and 5xx it reads too: `404`, `4xx`."""

    def given(self, page: Page) -> Given:
        """Type and data of each item, not yet looked at."""


def load_spider(reference: str, args: Mapping[str, str] | None = None) -> Spider:
    """The spider behind `path/FILE.py[:attribute]` or `module:attribute`; raises `Refused`.

    `args` are there as `spider.args` from the moment that its file makes it. Of a module, which is loaded once, there
    is one spider: its functions see the latest args that it was asked for with.
    """
    with given_args(args or {}):
        spider = _load(reference)
    spider.args = dict(args or {})
    return spider


def _load(reference: str) -> Spider:
    if found := _FILE.fullmatch(reference):
        module = _from_file(Path(found["path"]).expanduser())
    elif found := _MODULE.fullmatch(reference):
        module = _from_module(found["module"], reference)
    else:
        raise Refused(f"not a spider: {reference!r}; name it as FILE.py or module:attribute")
    return _spider_in(module, found["attribute"], reference)


def load(reference: str | None, args: Mapping[str, str] | None = None) -> Extractor:
    """The extractor behind a reference, the generic one where there is none; raises `Refused`."""
    return load_spider(reference, args) if reference else Generic()


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise Refused(f"no such spider file: {path}")
    name = f"spider_{source_version(str(path))}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Refused(f"cannot read the spider file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles of the spider look for it there
    add_folder(path.absolute().parent)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        why = one_line(error, file=str(path)) + _shadowed(error, path.absolute().parent)
        raise Refused(f"cannot load the spider file {path}: {why}") from error
    return module


def _from_module(name: str, reference: str) -> ModuleType:
    add_folder(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise Refused(f"no such spider: {reference!r}: no module named {error.name!r} on the path") from None
        raise Refused(f"cannot load the spider {reference!r}: {one_line(error)}") from error
    except (Exception, SystemExit) as error:
        raise Refused(f"cannot load the spider {reference!r}: {one_line(error)}") from error


def _shadowed(error: BaseException, folder: Path) -> str:
    """What to add for a spider that wants a module of its own whose name is ours."""
    if not isinstance(error, ImportError | AttributeError):
        return ""
    names = [name for name in taken_names(folder) if re.search(rf"\b{name}\b", str(error))]
    return f"; {names[0]!r} is a package of Penstock's, so give the one beside the spider another name" if names else ""


def _spider_in(module: ModuleType, attribute: str | None, reference: str) -> Spider:
    if attribute:
        if not hasattr(module, attribute):
            raise Refused(f"no such spider: {reference.removesuffix(f':{attribute}')} has no {attribute}")
        found = getattr(module, attribute)
        if not isinstance(found, Spider):
            raise Refused(f"{reference!r} names no Spider: {attribute} is {type(found).__name__}")
        return found
    spiders = {name: value for name, value in vars(module).items() if isinstance(value, Spider)}
    if len(set(map(id, spiders.values()))) == 1:
        return next(iter(spiders.values()))
    if spiders:
        names = ", ".join(f"{reference}:{name}" for name in spiders)
        raise Refused(f"several spiders in {reference!r}; name one: {names}")
    raise Refused(f"no Spider in {reference!r}: it must have a line like spider = Spider('name', ...)")


def one_line(error: BaseException, *, file: str | None = None) -> str:
    """An exception as `ValueError: message (file:line)`, where the line is the last one in the user's code."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({Path(error.filename or '?').name}:{error.lineno})"
    place = getattr(error, "where", "") or _place(error, file)
    where = f" ({place})" if place else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}{where}"[:MAX_DETAIL_CHARS]


def _place(error: BaseException, file: str | None) -> str:
    """The last line of the user's that led to an error, and the library's line behind it where there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith((_OURS, "<frozen")) or frame.filename == file]
    if not theirs:
        return ""
    own = [frame for frame in theirs if frame.filename == file or not frame.filename.startswith(_LIBRARIES)]
    last = (own or theirs)[-1]
    behind = f", in {_spelled(theirs[-1])}" if own and last is not theirs[-1] else ""
    return f"{_spelled(last)}{behind}"


def _spelled(frame: traceback.FrameSummary) -> str:
    return f"{Path(frame.filename).name}:{frame.lineno}"


#: Longest sentence about an error, in characters.
MAX_DETAIL_CHARS = 500
