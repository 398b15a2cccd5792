"""The decoders of the Chinese, Japanese and Korean encodings whose characters are sequences of one to four bytes.

Takes bytes, gives the text that the Encoding Standard's decoder gives for them, whatever they are. Python's codec does
the work: where it finds a character, the standard finds one in the same bytes, and but for a few the same one (`swaps`
and `doubts` say which). Where it finds none, the standard's tables are asked for what stands there, and how far an
error goes. A test walks every sequence, so that a Python whose codec differs elsewhere is found out.
Source: https://encoding.spec.whatwg.org/#legacy-multi-byte-chinese-(simplified)-encodings and the chapters behind it
"""

import codecs
import re
from functools import partial

from scraper.characters.units import Units, units

#: What stands for bytes that mean nothing.
ERROR = "\ufffd"
#: Sequences that are read by table at a time, from the first that the codec does not know. A few, since the codec does
#: the rest faster; and more than one, since a body that is all errors would else take ten times longer.
_UNITS_AT_A_TIME = 16


class Decoder:
    """One encoding's decoder.

    `codec` is Python's, `unit` the pattern of one sequence with a byte above 7F, right or wrong. `cut` is the pattern
    of a sequence that the end cuts off and that is one error as a whole. `swaps` are characters that the codec gives
    instead of others, `doubts` those that it gives rightly, too: each with the sequence for which it is wrong.
    """

    def __init__(
        self, name: str, codec: str, unit: bytes, *, cut: bytes = b"", swaps: str = "", doubts: str = ""
    ) -> None:
        self.name, self._codec = name, codec
        self._unit = re.compile(unit, re.DOTALL)
        one = b"%b(?:%b|[\\x00-\\x7f]{1,64})" % (b"(?!%b)" % cut if cut else b"", unit)
        self._some = re.compile(b"(?:%b){1,%d}" % (one, _UNITS_AT_A_TIME), re.DOTALL)
        self._swaps = [(pair[0], pair[1]) for pair in swaps.split(" ") if pair]
        self._doubts = [(pair[0], bytes.fromhex(pair[1:])) for pair in doubts.split(" ") if pair]
        self._handler = f"penstock.{name}"
        codecs.register_error(self._handler, self._mend)

    def __repr__(self) -> str:
        return f"<Decoder of {self.name}>"

    def decode(self, body: bytes) -> str:
        """The text of a body."""
        text = body.decode(self._codec, self._handler)
        if any(character in text and sequence in body for character, sequence in self._doubts):
            return self._by_table(body)
        for wrong, right in self._swaps:
            if wrong in text:
                text = text.replace(wrong, right)
        return text

    def _mend(self, error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        return self._some_by_table(error.object, error.start)

    def _by_table(self, body: bytes) -> str:
        parts: list[str] = []
        at = 0
        while at < len(body):
            part, at = self._some_by_table(body, at)
            parts.append(part)
        return "".join(parts)

    def _some_by_table(self, body: bytes, start: int) -> tuple[str, int]:
        """The characters of the sequences from `start` on, and where they end."""
        found = self._some.match(body, start)
        if found is None:
            return ERROR, len(body)
        return self._unit.sub(partial(_character, units(self.name)), found[0]).decode(), found.end()


def _character(table: Units, found: re.Match[bytes]) -> bytes:
    return table[found[0]]


_TWO = rb"[\x81-\xfe].|[\x80-\xff]"
_GB18030_SWAPS = (
    "\ue5e5\u3000 \ue78d\ufe10 \ue78e\ufe12 \ue78f\ufe11 \ue790\ufe13 \ue791\ufe14 \ue792\ufe15 \ue793\ufe16 "
    "\ue794\ufe17 \ue795\ufe18 \ue796\ufe19 \ue81e\u9fb4 \ue826\u9fb5 \ue82b\u9fb6 \ue82c\u9fb7 \ue832\u9fb8 "
    "\ue843\u9fb9 \ue854\u9fba \ue864\u9fbb"
)
DECODERS = {
    decoder.name: decoder
    for decoder in (
        Decoder(
            "gb18030",
            "gb18030",
            rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]|" + _TWO,
            cut=rb"[\x81-\xfe][0-9][\x81-\xfe]?\Z",
            swaps=_GB18030_SWAPS,
            doubts="\ue7c7A8BC \u1e3f8135F437",
        ),
        Decoder(
            "big5",
            "big5hkscs",
            _TWO,
            swaps="\u2022\u2027 \uff64\ufe51 \u203e\u00af \u223c\uff5e \u2641\u2295 \u2609\u2299 \u00a5\uffe5 "
            "\u00a2\uffe0 \u00a3\uffe1",
            doubts="\uff0fA241 \uff3cA242",
        ),
        Decoder("euc-kr", "cp949", _TWO),
        Decoder(
            "shift_jis",
            "cp932",
            rb"[\x81-\x9f\xe0-\xfc].|[\x80-\xff]",
            swaps="\uf8f0\ufffd \uf8f1\ufffd \uf8f2\ufffd \uf8f3\ufffd",
        ),
        Decoder(
            "euc-jp",
            "euc_jp",
            rb"\x8f[\xa1-\xfe].|[\x8e\x8f\xa1-\xfe].|[\x80-\xff]",
            swaps="\u301c\uff5e \u2016\u2225 \u2212\uff0d \u00a2\uffe0 \u00a3\uffe1 \u00ac\uffe2",
            doubts="~8FA2B7",
        ),
    )
}
DECODERS["gbk"] = DECODERS["gb18030"]
