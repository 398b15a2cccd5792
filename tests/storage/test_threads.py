"""Work in a thread is never left behind."""

import asyncio
import threading

import pytest

from storage.sql.threads import in_thread


async def test_who_is_cancelled_waits_until_the_thread_has_ended():
    began, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        began.set()
        go_on.wait()
        ended.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()

    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_what_the_thread_returns_or_raises_comes_through():
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


async def test_an_error_that_comes_after_a_cancellation_is_nobodys():
    began, go_on = threading.Event(), threading.Event()

    def work():
        began.set()
        go_on.wait()
        raise ValueError

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
