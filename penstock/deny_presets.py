"""Ready patterns for URLs that many applications make and few crawls want, by name (`--deny-preset`). Pure.

Takes names, gives regular expressions (RE2's) for `CrawlSpec.deny`, which stand in the crawl's record as if they had
been typed. Each is of applications as they were seen: MediaWiki, DokuWiki, MoinMoin, Foswiki, Trac; Apache's and nginx'
directory lists; WordPress' calendars; PHP, Java, ASP.NET and ColdFusion sessions; phpBB, Discuz, Joomla.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal

from contract.errors import Refused

Preset = Literal["wiki-actions", "sort-links", "calendars", "sessions", "print-views"]
PRESETS: dict[str, tuple[str, ...]] = {
    "wiki-actions": (
        # MediaWiki, MoinMoin, Trac; the page itself is `view`, `raw` is its source.
        r"(?i)[?&](?:action=(?:edit|history|delete|rollback|protect|watch|info|raw|diff|print|refresh|\w*attach\w*)\b"
        r"|(?:ve)?action=edit|(?:oldid|diff|redlink|curid)=)",
        r"(?i)[/=:](?:Special|Spezial|Sp%C3%A9cial|Especial|Speciale|Speciaal)(?::|%3A)",
        # DokuWiki
        r"(?i)[?&](?:do=(?:edit|revisions|diff|backlink|recent|index|media|login|export_\w+|search|subscribe)\b|rev=\d)",
        r"(?i)/bin/(?:edit|attach|rdiff|rename|oops|manage|changes|compare)/",  # Foswiki, TWiki
    ),
    "sort-links": (
        r"[?&;]C=[NMSDE](?:[;&]O=[AD]|$)",
        r"(?i)[?&;](?:sort|sort_?by|sort_?dir|sort_?order|sort_?key|order|order_?by|order_?dir)=",
    ),
    "calendars": (
        r"(?i)/(?:calendar|kalender|calendrier|calendario|agenda)/\d{4}(?:[/-]|$)",
        r"(?i)/events?/(?:\d{4}-\d\d|(?:day|week|month|list|photo|map|today)(?:[/?]|$))",
        r"(?i)[?&](?:tribe-bar-date|eventdisplay|ical|outlook-ical|ajaxcalendar|cal_?date|calmonth|mc_id|yr|month|week)=",
    ),
    "sessions": (
        r"(?i)[?&;](?:PHPSESSID|JSESSIONID|ASPSESSIONID\w*|CFID|CFTOKEN|SESSION_?ID|SESSID|SID|osCsid|zenid|XTCsid)=",
        r"(?i)/\([SAF]\([a-z0-9_-]{20,}\)\)/",
    ),
    "print-views": (
        r"(?i)[?&](?:print|printable|printview|print_?view|printer_?friendly|for_?print)(?:=|&|$)",
        r"(?i)[?&](?:view|format|mode|tmpl|output|layout|do)=(?:print\w*|component)\b",
        r"(?i)/(?:print|printer|printview|print\.php|print\.html?)(?:[/?]|$)",
    ),
}


def expanded(names: Iterable[str]) -> tuple[str, ...]:
    """The patterns of these presets; raises `Refused` for a name that there is not."""
    found: list[str] = []
    for name in names:
        if name not in PRESETS:
            near = difflib.get_close_matches(name, PRESETS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(PRESETS)}"
            raise Refused(f"no deny preset {name!r}: {hint}", field="deny_preset")
        found += PRESETS[name]
    return tuple(dict.fromkeys(found))
