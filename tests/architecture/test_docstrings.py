"""Modules and public names introduce themselves, and the rule that says so can fail."""

import pytest

from tests.architecture.rules.docstrings import missing_docstrings
from tests.architecture.rules.sources import expect_none, made_up, read_sources


def test_every_module_and_public_name_introduces_itself():
    expect_none(missing_docstrings(read_sources()))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = 1", "does not open with a docstring"),
        ('"""  """', "does not open with a docstring"),
        ('"""M."""\ndef public(): pass', ":2: public has no docstring"),
        ('"""M."""\nclass Public: pass', ":2: Public has no docstring"),
        (
            '"""M."""\nclass Public:\n    """C."""\n    async def act(self): pass',
            ":4: Public.act has no docstring",
        ),
        ('"""M."""\nif x:\n    def public(): pass', ":3: public has no docstring"),
    ],
)
def test_a_name_without_a_docstring_is_reported(text, fault):
    [breach] = missing_docstrings(made_up({"contract/m.py": text}))

    assert breach.endswith(fault)


@pytest.mark.parametrize(
    "text",
    [
        '"""M."""\ndef _helper(): pass',
        '"""M."""\nclass _Inner:\n    def act(self): pass',
        '"""M."""\nclass Public:\n    """C."""\n    def __len__(self): pass',
        '"""M."""\ndef public():\n    """F."""\n    def inner(): pass',
        '"""M."""\n@typing.overload\ndef public(x): ...',
    ],
)
def test_helpers_and_what_is_said_elsewhere_need_none(text):
    assert missing_docstrings(made_up({"contract/m.py": text})) == []
