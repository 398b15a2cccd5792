"""CSS selectors for XML.

Takes a selector, gives an XPath expression. A name without prefix is that of an element in whatever namespace; a prefix
(`dc|creator`) is one that the document declares. What is asked of browsers (`:hover`, `:checked`) is an error.
"""

from functools import lru_cache
from typing import Any

from cssselect import GenericTranslator
from cssselect.parser import Element
from cssselect.xpath import ExpressionError, XPathExpr

_OF_BROWSERS = ("link", "visited", "hover", "active", "focus", "target", "enabled", "disabled", "checked")


class _Translator(GenericTranslator):
    def xpath_element(self, selector: Element) -> XPathExpr:
        if selector.namespace is None and selector.element:
            found = self.xpathexpr_cls(element="*")
            return found.add_condition(f"local-name() = {self.xpath_literal(selector.element)}")
        return super().xpath_element(selector)


def _does_not_apply(self: Any, xpath: XPathExpr) -> XPathExpr:
    raise ExpressionError("a question for browsers, which XML has no answer to")


for _name in _OF_BROWSERS:
    setattr(_Translator, f"xpath_{_name}_pseudo", _does_not_apply)


@lru_cache(1_000)
def xpath_of(selector: str, prefix: str) -> str:
    """The XPath expression; raises `cssselect.SelectorError`."""
    return _Translator().css_to_xpath(selector, prefix=prefix)
