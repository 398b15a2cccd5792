"""English-like text from a seed: names, titles, and a pool of paragraphs."""

from functools import lru_cache
from random import Random

_NOUN_WORDS = """
amber anchor autumn barley basin beacon birch bridge canal candle cedar cellar clay cliff cloud
copper coral cotton cove dawn delta drift ember falcon fern field flint forest frost garden gate
glacier granite grove harbour harvest hazel heather hollow indigo island ivory juniper kettle lake
lantern ledge linen maple marble marsh meadow mill mirror moss north oak ocean olive orchard otter
oxbow paper pebble penstock pine plain plum pond prairie quarry quartz quill rapids raven reed ridge
river saddle salt sand sluice spruce stone stream summit thistle timber tower turbine valley velvet
violet walnut water weir willow winter wool
"""
_VERB_WORDS = """
carries follows meets leaves crosses feeds drives holds turns keeps reaches gathers divides guards
"""
_ADJECTIVE_WORDS = """
quiet narrow steady early ancient hidden slow bright shallow broad distant careful northern patient
naïve busy
"""

#: Lower-case ASCII, fit for a path.
NAMES = tuple(_NOUN_WORDS.split())
_VERBS = tuple(_VERB_WORDS.split())
_ADJECTIVES = tuple(_ADJECTIVE_WORDS.split())
_ADVERBS = ("slowly", "again", "by night", "in spring", "without haste", "every year", "with care", "at dusk")
_LINKERS = ("while", "because", "although", "until", "before", "after", "where", "whenever")

_PARAGRAPHS = 320
_SENTENCES_EACH = 5


def title_of(number: int, *, pick: int) -> str:
    """The title of page `number`, chosen by `pick`."""
    adjective = _ADJECTIVES[pick % len(_ADJECTIVES)]
    one = NAMES[pick // 31 % len(NAMES)]
    other = NAMES[pick // 7919 % len(NAMES)]
    return f"The {adjective} {one} & the {other}, part {number}"


@lru_cache(maxsize=8)
def paragraphs(seed: int) -> tuple[bytes, ...]:
    """A pool of HTML paragraphs of some 300 bytes each, UTF-8."""
    random = Random(f"paragraphs/{seed}")
    return tuple(f"<p>{_paragraph(random)}</p>\n".encode() for _ in range(_PARAGRAPHS))


def _paragraph(random: Random) -> str:
    return " ".join(_sentence(random) for _ in range(_SENTENCES_EACH))


def _sentence(random: Random) -> str:
    first = f"The {_subject(random)} {random.choice(_VERBS)} the {_subject(random)}"
    if random.random() < 0.6:
        second = f"the {_subject(random)} {random.choice(_VERBS)} {random.randint(2, 990)} {random.choice(NAMES)}s"
        return f"{first}, {random.choice(_LINKERS)} {second}."
    return f"{first} {random.choice(_ADVERBS)}."


def _subject(random: Random) -> str:
    if random.random() < 0.5:
        return f"{random.choice(_ADJECTIVES)} {random.choice(NAMES)}"
    return random.choice(NAMES)
