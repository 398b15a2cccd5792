"""Hostile pages whose markup costs a parser time or memory out of all proportion, or misleads it."""

import gzip
from functools import cache

from penstock.site.hostile_case import Hostile, cases, html, served
from penstock.site.wire import Script

_MIB = 1024 * 1024
#: 79 KB that cost Lexbor 23 s and 5 GB (its issue 340).
_FORMATTING_ELEMENTS = 4000
_MILLION = 1_000_000


def formatting_bomb(count: int = _FORMATTING_ELEMENTS) -> bytes:
    """Formatting elements that are each different, opened `count` times, and closed in the wrong order."""
    opened = "".join(f"<{tag} {number}>" for tag in "bi" for number in range(count))
    return html("Formatting bomb", opened + "x</b>" * count)


@cache
def _million(prefix: str) -> bytes:
    links = "".join(f"<a href={prefix}{number}>" for number in range(_MILLION))
    return gzip.compress(html("A million links", links), 1, mtime=0)


def _zipped(prefix: str) -> Script:
    return served(lambda: _million(prefix), headers="Content-Encoding: gzip\r\n")


_COSTLY: dict[str, Script] = {
    "formatting_bomb": served(formatting_bomb),
    "nested_divs_100k": served(lambda: html("Deep", "<div>" * 100_000)),
    "nested_divs_1m": served(lambda: html("Deeper", "<div>" * _MILLION)),
    "attributes_200k": served(
        lambda: html("Attributes", f"<p {' '.join(f'a{number}' for number in range(200_000))}>x")
    ),
}
_BIG: dict[str, Script] = {
    "attribute_5_mb": served(lambda: html("Long attribute", f'<p title="{"x" * 5 * _MIB}">x</p>')),
    "comment_5_mb": served(lambda: html("Long comment", f"<!--{'x' * 5 * _MIB}-->")),
    "entities_500k": served(lambda: html("Entities", "&CounterClockwiseContourIntegral;" * 30_000 + "&amp" * 500_000)),
    "plaintext": served(html("No way out", "<plaintext></plaintext></body>" * 1000)),
    "tables_nested": served(html("Tables", "<table><tr><td>" * 3000)),
    "templates_nested": served(html("Templates", "<template>" * 1000)),
    "select_in_table": served(html("Mixed", "<table><select><table><svg><math><p>" * 300)),
    "unclosed": served(lambda: html("Unclosed", "<p><a href='/hostile/good/1'>" * 20_000)[:-30]),
}
_MISLEADING: dict[str, Script] = {
    "base_javascript": served(b"<base href='javascript:alert(1)'>" + html("Base", "<a href='good/8'>8</a>")),
    "base_twice": served(
        b"<base href='/hostile/good/'><base href='http://base.invalid/'>" + html("Bases", "<a href='9'>9</a>")
    ),
    "base_data": served(b"<base href='data:text/plain,x'>" + html("Base", "<a href='good/10'>10</a>")),
    "refresh_loop": served(b"<meta http-equiv=refresh content='0;url=refresh_loop'>" + html("Again")),
    "refresh_javascript": served(b"<meta http-equiv=refresh content='0;url=javascript:alert(1)'>" + html("Go")),
    "canonical_elsewhere": served(b"<link rel=canonical href='http://canonical.invalid/'>" + html("Not me")),
    "nothing_but_tags": served(b"<" * 100_000),
    "xml": served(b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'a'>]><html>&a;</html>"),
}

CASES = (
    *cases(_COSTLY, costly=True),
    *cases(_BIG),
    *cases(_MISLEADING),
    # One URL a million times, so that a crawler's cap on links is met without a flood of URLs.
    Hostile(name="million_links", script=_zipped("#"), costly=True),
    Hostile(name="million_urls", script=_zipped("u"), costly=True, listed=False),
)
