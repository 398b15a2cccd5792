"""Hostile pages whose characters are the trap: lying charsets, titles that attack a reader, odd JSON-LD."""

from penstock.site.hostile_case import HTML, cases, html, served
from penstock.site.wire import Script

_ESCAPED_SCRIPT = b"<!doctype html><title>+ADw-script+AD4-alert(1)+ADw-/script+AD4-</title>"


def _of_type(content_type: str, body: bytes) -> Script:
    return served(body, content_type=content_type)


def _titled(title: str) -> Script:
    return served(html(title))


def _linked_data(text: str) -> Script:
    head = f'<!doctype html><title>Linked data</title><script type="application/ld+json">{text}</script>'
    return served(head.encode())


_CHARSETS: dict[str, Script] = {
    f"charset_{name}": _of_type(f"text/html; charset={label}", _ESCAPED_SCRIPT)
    for name, label in {
        "utf7": "utf-7",
        "zlib": "zlib_codec",
        "rot13": "rot13",
        "no_such": "no-such",
        "nul": '"utf-8\\0"',
        "punycode": "punycode",
        "undefined": "undefined",
        "idna": "idna",
        "empty": "",
        "long": "x" * 5000,
    }.items()
}
_CONFLICTS: dict[str, Script] = {
    "charset_meta_against_header": _of_type(
        HTML, '<!doctype html><meta charset="gbk"><title>naïve café</title>'.encode()
    ),
    "charset_latin1_as_utf8": _of_type(HTML, "<!doctype html><title>naïve café</title>".encode("latin-1")),
    "charset_mark_against_header": _of_type("text/html; charset=windows-1252", b"\xef\xbb\xbf" + html("naïve café")),
    "charset_utf16_mark": _of_type(HTML, b"\xff\xfe" + html("naïve café").decode().encode("utf-16-le")),
    "charset_meta_utf16": _of_type("text/html", b'<!doctype html><meta charset="utf-16"><title>caf\xc3\xa9</title>'),
    "charset_meta_only": _of_type(
        "text/html", '<!doctype html><meta charset="windows-1251"><title>Плотина</title>'.encode("cp1251")
    ),
    "charset_cut_character": _of_type(HTML, html("half a café")[:-3] + b"\xe2\x82"),
}
_TITLES: dict[str, Script] = {
    f"title_{name}": _titled(title)
    for name, title in {
        "nul": "nul \0 in it",
        "controls": "\x01\x02\x07\x08\x0b\x0e\x7f\x80\x9b31m",
        "escape": "\x1b]0;taken over\x07\x1b[31mred\x1b[2J",
        "bidi": "\u202etxt.exe\u202c \u2066isolated\u2069",
        "noncharacters": "\ufffe\uffff\U0001fffe\ufdd0",
        "zalgo": "w" + "\u0300\u0316" * 500 + "eir",
        "joined_emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 20,
        "script": "&lt;script&gt;alert(1)&lt;/script&gt;",
        "real_script": "<script>alert(1)</script>",
        "formula": "=cmd|'/c calc'!A1",
        "formula_tab": "\t=1+1",
        "formula_wide": "\uff1d1+1",
        "formula_at": "@SUM(1)",
        "markup": "[red]not red[/red] [link=file:///etc/passwd]x[/link]",
        "forged_log": "x\n2030-01-01 00:00:00 INFO all is well\r\nfake",
        "long": "weir " * 20_000,
        "surrogate": "&#xd83d; &#55357; &#x110000; &#0;",
        "format": "%s %n {0.__class__} ${jndi:ldap://127.0.0.1/x}",
    }.items()
}
_LINKED_DATA: dict[str, Script] = {
    "json_deep": _linked_data("[" * 100_000),
    "json_deep_closed": _linked_data("[" * 10_000 + "]" * 10_000),
    "json_surrogate": _linked_data(r'{"@type": "Thing", "name": "half \ud83d of it"}'),
    "json_nul": _linked_data(r'{"@type": "Thing", "name": "nul \u0000 in it"}'),
    "json_nan": _linked_data('{"@type": "Thing", "size": NaN, "more": Infinity}'),
    "json_huge_number": _linked_data('{"@type": "Thing", "size": 1e999999, "more": ' + "9" * 5000 + "}"),
    "json_duplicate_keys": _linked_data('{"@type": "A", "@type": "B", "@type": null}'),
    "json_array": _linked_data('[1, "two", null, {"@type": "Thing"}]'),
    "json_invalid": _linked_data("{'@type': Thing,}"),
    "json_4_mb": _linked_data('{"@type": "Thing", "name": "' + "x" * 4_000_000 + '"}'),
}

CASES = (*cases(_CHARSETS), *cases(_CONFLICTS), *cases(_TITLES), *cases(_LINKED_DATA))
