"""The newest item for readers of which each may be slow."""

import asyncio
import threading

import pytest
from fakes import TIMEOUT_S

from kpviewer.serving.newest import ClosedError, Newest


def test_a_reader_gets_the_newest_and_skips_those_between():
    newest: Newest[str] = Newest()
    for item in "abc":
        newest.publish(item)
    assert asyncio.run(newest.after(0)) == (3, "c")


def test_a_reader_waits_for_an_item_of_another_thread():
    newest: Newest[str] = Newest()

    async def read() -> str:
        waiting = asyncio.create_task(newest.after(0, TIMEOUT_S))
        await asyncio.sleep(0)  # until it waits
        thread = threading.Thread(target=newest.publish, args=("a",))
        thread.start()
        item = (await waiting).item
        thread.join()
        return item

    assert asyncio.run(read()) == "a"


def test_a_forgotten_item_is_gone_and_its_number_is_not_used_again():
    newest: Newest[str] = Newest()
    newest.publish("a")
    newest.forget()
    with pytest.raises(TimeoutError):
        asyncio.run(newest.after(0, 0.01))
    newest.publish("b")
    assert asyncio.run(newest.after(1)) == (2, "b")


def test_a_reader_that_is_up_to_date_waits_in_vain():
    newest: Newest[str] = Newest()
    newest.publish("a")
    with pytest.raises(TimeoutError):
        asyncio.run(newest.after(1, 0.01))


def test_closing_lets_every_reader_go():
    newest: Newest[str] = Newest()
    newest.publish("a")

    async def read() -> list[object]:
        waiting = [asyncio.create_task(newest.after(1, TIMEOUT_S)) for _ in range(3)]
        await asyncio.sleep(0)
        newest.close()
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(each) for each in asyncio.run(read())] == [ClosedError] * 3
    with pytest.raises(ClosedError):
        asyncio.run(newest.after(0))


def test_a_reader_whose_event_loop_has_ended_is_no_trouble():
    newest: Newest[str] = Newest()

    async def leave() -> None:
        asyncio.ensure_future(newest.after(0)).add_done_callback(lambda task: task.cancelled())
        await asyncio.sleep(0)

    asyncio.run(leave())
    newest.publish("a")
    assert asyncio.run(newest.after(0)).item == "a"
