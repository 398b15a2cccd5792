"""Files and functions stay small, and the rule that says so can fail."""

import ast
from pathlib import Path

from tests.architecture.rules.sizes import (
    MAX_FILE_LINES,
    MAX_FUNCTION_LINES,
    function_length,
    long_files,
    long_functions,
)
from tests.architecture.rules.sources import PACKAGES, ROOT, expect_none, made_up, read_sources

#: A script is a file like any other.
SUFFIXES = (".py", ".lua", ".js", ".css", ".html")


def test_no_file_is_longer_than_the_cap():
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in SUFFIXES]

    assert long_files(ROOT, [path.relative_to(ROOT) for path in sorted(paths) if "vendor" not in path.parts]) == []


def test_no_function_is_longer_than_the_cap():
    expect_none(long_functions(read_sources()))


def test_a_file_one_line_over_the_cap_is_named_with_its_length(tmp_path):
    (tmp_path / "fits.py").write_text("x = 1\n" * MAX_FILE_LINES)
    (tmp_path / "long.lua").write_text("x = 1\n" * (MAX_FILE_LINES + 1))

    [breach] = long_files(tmp_path, [Path("fits.py"), Path("long.lua")])

    assert breach.startswith("long.lua has 301 lines")


def test_a_function_one_line_over_the_cap_is_named_with_its_length():
    fits = "def fits():\n" + "    x = 1\n" * (MAX_FUNCTION_LINES - 1)
    long = "class C:\n    async def long(self):\n" + "        x = 1\n" * MAX_FUNCTION_LINES

    [breach] = long_functions(made_up({"contract/fits.py": fits, "contract/long.py": long}))

    assert breach.startswith("contract/long.py:2: long has 26 lines")


def test_signature_decorators_and_docstring_do_not_count_but_blank_lines_and_comments_do():
    text = '''
@decorated
def counted(
    first,
    *,
    second,
):
    """One.

    Two.
    """
    x = 1

    # why
    return x
'''
    assert function_length(ast.parse(text).body[0]) == 5


def test_a_function_that_is_only_a_docstring_has_one_line():
    assert function_length(ast.parse('def f():\n    """Says."""\n').body[0]) == 1
