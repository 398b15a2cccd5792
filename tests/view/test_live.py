"""The live view on a real pseudo-terminal: no resize tears it, and the terminal is given back as it was."""

import re
import signal

from penstock.view.glyphs import ASCII, COLOURFUL, COLOURLESS
from penstock.view.layout import Look
from penstock.view.picture import picture
from tests.view.states import HOSTILE, made_state
from tests.view.terminal import terminal

#: Codes for colours: 30-38, 40-48, 90-97, 100-107, wherever they stand in a sequence.
COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:[34][0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")
#: All that we send beside text: styles, places of lines, what clears, and the modes of the screen.
CODES = re.compile(rb"\x1b\[(?:[0-9;]*m|[0-9]+;1H|[0-9]*[JKH]|\?(?:7|25|1049|2026)[hl])")
ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"


def expected(state, columns, lines, glyphs=COLOURFUL):
    """What one should see on a terminal of this size: every line of it, and nothing else."""
    drawn = [line.plain.rstrip() for line in picture(state, Look(width=columns - 1, height=lines, glyphs=glyphs))]
    return drawn + [""] * (lines - len(drawn))


async def test_no_resize_leaves_anything_of_another_frame():
    state = made_state()
    async with terminal(110, 34) as screen:
        screen.show(state)
        for size in [(110, 34), (70, 34), (40, 12), (130, 40), (20, 4), (90, 20)]:
            screen.resize(*size)
            await screen.until(lambda size=size: screen.lines == expected(state, *size))


async def test_a_smaller_picture_leaves_nothing_of_the_larger_one():
    large, small = made_state(), made_state(latest=[], failures=[], hosts=[], statuses={}, complete=True)
    async with terminal(100, 30) as screen:
        screen.show(large)
        await screen.until(lambda: screen.lines == expected(large, 100, 30))
        screen.show(small)
        await screen.until(lambda: screen.lines == expected(small, 100, 30))


async def test_the_end_leaves_the_terminal_as_it_was_with_a_few_lines_that_sum_up():
    async with terminal(80, 24) as screen:
        screen.show(made_state())
        await screen.until(lambda: "latest pages" in screen.text)
        screen.write("say: the server \x1b[2Jis back")
        screen.show(made_state(state="finished", complete=True))
        await screen.until(lambda: "finished" in screen.text)
        assert await screen.end() == 0

    during, _, after = screen.raw.partition(LEFT)
    assert during.count(ENTERED) == 1
    assert b"\x1b[?25l" in during
    assert during.endswith(b"\x1b[?25h")
    assert b"294" in after
    assert b"latest pages" not in after
    assert after.rstrip().endswith(b"the server \\x1b[2Jis back")
    assert not re.search(rb"\x1b\[[0-9;]*[A-HJKf]", after)  # it scrolls like any other output


async def test_no_title_moves_the_cursor():
    async with terminal(100, 30) as screen:
        for number, hostile in enumerate(text.replace("\ud800", "") for text in HOSTILE):
            page = {"url": f"http://a.test/{hostile}", "status": 200, "title": hostile}
            failure = {**page, "reason": hostile, "detail": hostile}
            screen.show(made_state(name=f"crawl {number}", complete=True, latest=[page] * 5, failures=[failure] * 5))
            # Where a line is foreign, what stands around it is in its place all the same. A frame may come in parts.
            wanted = {0: f" crawl {number} ", 17: " latest pages", 24: " latest failed attempts"}
            await screen.until(
                lambda wanted=wanted: all(screen.lines[at].startswith(head) for at, head in wanted.items())
            )
        await screen.end()

    rest = CODES.sub(b"", screen.raw).decode()
    assert not re.search("[\x00-\x09\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", rest)


async def test_no_color_is_respected_and_the_picture_still_tells_its_parts_apart():
    state = made_state(failed=90)
    async with terminal(100, 30, NO_COLOR="1") as screen:
        screen.show(state)
        await screen.until(lambda: screen.lines == expected(state, 100, 30, COLOURLESS))
        await screen.end()

    assert not COLOUR.search(screen.raw)


async def test_colours_are_there_where_nobody_minds():
    async with terminal(100, 30) as screen:
        screen.show(made_state())
        await screen.until(lambda: "latest failed attempts" in screen.text)

    assert COLOUR.search(screen.raw)


async def test_the_c_locale_gets_ascii():
    state = made_state(name="naïve")
    async with terminal(100, 30, LC_ALL="C") as screen:
        screen.show(state)
        await screen.until(lambda: screen.lines == expected(state, 100, 30, ASCII))

    assert screen.raw.isascii()


async def test_a_dumb_terminal_gets_plain_lines():
    async with terminal(100, 30, TERM="dumb") as screen:
        screen.show(made_state())
        await screen.until(lambda: "294 fetched" in screen.text)
        assert await screen.end() == 0

    assert b"\x1b" not in screen.raw


async def test_sigterm_gives_the_terminal_back_first():
    async with terminal(80, 24) as screen:
        screen.show(made_state())
        await screen.until(lambda: "latest pages" in screen.text)
        screen.process.send_signal(signal.SIGTERM)
        assert await screen.end() == -signal.SIGTERM

    assert screen.raw.endswith(LEFT)


async def test_ctrl_z_gives_the_terminal_back_until_the_view_goes_on():
    state = made_state()
    async with terminal(80, 24) as screen:
        screen.show(state)
        await screen.until(lambda: "latest pages" in screen.text)
        # Nobody could continue a program whose parent is in another session, so the kernel does not stop this one.
        screen.process.send_signal(signal.SIGTSTP)
        await screen.until(lambda: screen.raw.count(ENTERED) == 2 and screen.lines == expected(state, 80, 24))

    assert screen.raw.index(LEFT) < screen.raw.rindex(ENTERED)
