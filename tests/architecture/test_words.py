"""Keys are spelled in contract/keys.py alone, and the rule that says so can fail."""

import pytest

from tests.architecture.rules.sources import expect_none, made_up, read_sources
from tests.architecture.rules.words import key_words, keys_spelled_elsewhere

CATALOGUE = '''
class Keys:
    def queue(self, crawl, host):
        """ZSET: jobs."""
        return f"{self.root}queue:{crawl}:{host}"
    def host(self, host):
        return f"{self.root}host:{host}"
'''


def breaches_of(expression):
    """What the rule says of one expression in a module beside a small catalogue."""
    return keys_spelled_elsewhere(made_up({"contract/keys.py": CATALOGUE, "scheduler/m.py": f"x = {expression}"}))


def test_no_key_is_spelled_outside_the_catalogue():
    expect_none(keys_spelled_elsewhere(read_sources()))


def test_the_catalogue_is_where_the_rule_looks_for_words():
    [catalogue] = [source for source in read_sources() if source.module == "contract.keys"]

    assert {"queue", "seen", "crawl", "host"} <= key_words(catalogue.tree)


@pytest.mark.parametrize(
    "expression",
    [
        '"penstock:{0}:queue"',
        'f"{prefix}:{{{shard}}}:names"',
        '"queue:"',
        '"queue:" + crawl',
        'f"queue:{crawl}"',
        'f"{root}queue:{crawl}:{host}"',
        'f"{prefix}:queue:{crawl}"',
        '"host:%s" % host',
        '"host:{}".format(host)',
        '"host:*"',
        'f"{keys.root}anything"',
        'f"{self._keys.root}anything"',
        'keys.root + "anything"',
    ],
)
def test_a_key_spelled_elsewhere_is_found(expression):
    assert len(breaches_of(expression)) == 1


@pytest.mark.parametrize(
    "expression",
    [
        '"host:port"',
        '"og:title"',
        'f"{host}:{port}"',
        'f"host: {host}"',
        'f"sha256:{digest}"',
        '"http://host:80/"',
        'f"{self.root}/archive"',
        'f"{keys.root}"',
        'keys.queue("crawl", "host")',
        '"ghost:"',
    ],
)
def test_other_strings_with_a_colon_pass(expression):
    assert breaches_of(expression) == []


def test_a_docstring_may_speak_of_keys():
    assert keys_spelled_elsewhere(made_up({"contract/keys.py": CATALOGUE, "contract/m.py": '"""queue:*"""'})) == []
