"""The text that a reader came for, chosen from a page's lines.

Takes a `Survey`, gives text. Each line is worth its length, or less than nothing if it is short or mostly links; the
part of the page that is worth most is the one that holds the main text, and from there the smallest part that still
holds nearly all of it. What says that it stands beside the text counts for nothing, unless most of the text is in it.
`<main>` and `<article>` are claims too: they decide where no line is worth anything, if there is something in them.
benchmarks/main_text.py says how well this does, and on which pages.
"""

from itertools import accumulate

from scraper.html.parts import ASIDE_ALWAYS, Part
from scraper.html.survey import Survey

#: Characters: a shorter line may be of a menu; from FULL on it is surely text, and beyond MOST it is worth no more.
SHORT, FULL, MOST = 25, 80, 1_000
_SHORT_VALUE, _LINK_VALUE, _MIDDLE = -8.0, -5.0, 0.3
#: Share of its characters from which on a line is one of links, and from which on it is left out.
_LINKS, _ONLY_LINKS = 1 / 3, 0.7
#: A part that holds so much of the page's worth is no side part, whatever it says.
MOST_OF_THE_PAGE = 0.6
#: A smaller part is taken instead if it holds so much of the worth of the larger one.
NEARLY_ALL = 0.8
_LIKELY = 1.1
_HOLDERS = frozenset(("article", "blockquote", "body", "div", "form", "li", "main", "section", "td"))


def main_text(survey: Survey) -> str:
    """The main text, a line for each block."""
    values = _values(survey)
    worth = list(accumulate([value if value > 0 else 0 for value in values], initial=0.0))
    beside = _beside(survey.parts, worth)
    sums = list(accumulate([min(v, -2.0) if out else v for v, out in zip(values, beside, strict=True)], initial=0.0))
    best = _best(survey.parts, sums, worth)
    if best is None:
        return _joined(survey, *_claimed(survey, beside), beside)
    return _joined(survey, best.start, best.end, beside, links=False)


def _values(survey: Survey) -> list[float]:
    values: list[float] = []
    for line, linked in zip(survey.lines, survey.linked, strict=True):
        length = len(line)
        if linked > length * _LINKS:
            values.append(_LINK_VALUE - 0.3 * linked)
        elif length < SHORT:
            values.append(_SHORT_VALUE)
        else:
            values.append(float(min(length, MOST)) if length >= FULL else length * _MIDDLE)
    for title in survey.titles:
        values[title] = min(0.0, values[title]) if survey.linked[title] else 0.0
    return values


def _beside(parts: list[Part], worth: list[float]) -> bytearray:
    """For each line, whether it stands in a part that says it is no main text."""
    beside = bytearray(len(worth) - 1)
    much = worth[-1] * MOST_OF_THE_PAGE
    for part in parts:
        start, end = part.start, part.end
        if part.beside and start < end and (part.tag in ASIDE_ALWAYS or worth[end] - worth[start] < (much or 1)):
            beside[start:end] = b"\1" * (end - start)
    return beside


def _best(parts: list[Part], sums: list[float], worth: list[float]) -> Part | None:
    best, most = None, 0.0
    for part in parts:
        value = (sums[part.end] - sums[part.start]) * (_LIKELY if part.likely else 1)
        if value > most:
            best, most = part, value
    if best is None:
        return None
    enough = NEARLY_ALL * (worth[best.end] - worth[best.start])
    for part in parts:  # the inner ones come before those around them
        inside = best.start <= part.start and part.end <= best.end
        if inside and part.tag in _HOLDERS and worth[part.end] - worth[part.start] >= enough:
            return part
    return best


def _claimed(survey: Survey, beside: bytearray) -> tuple[int, int]:
    """Where no line is worth anything: the lines of the only `<main>` or `<article>`, if they hold much of the page."""
    chars = list(
        accumulate((0 if out else len(line) for line, out in zip(survey.lines, beside, strict=True)), initial=0)
    )
    for tag, least in (("main", 1 / 6), ("article", 1 / 3)):
        found = [part for part in survey.parts if part.tag == tag]
        if len(found) == 1 and (inside := chars[found[0].end] - chars[found[0].start]) and inside >= chars[-1] * least:
            return found[0].start, found[0].end
    return 0, len(survey.lines)


def _joined(survey: Survey, start: int, end: int, beside: bytearray, *, links: bool = True) -> str:
    kept = [
        i
        for i in range(start, end)
        if not beside[i] and (links or survey.linked[i] <= len(survey.lines[i]) * _ONLY_LINKS)
    ]
    return "".join(f"{survey.joins[i]}{survey.lines[i]}" for i in kept).strip("\n\t")
