"""What is kept for whoever asks again: the latest results, as many as the bytes hold."""

from __future__ import annotations

import threading

from rnnviz.kept import Kept


def counted(most: int) -> tuple[Kept[int, bytes], list[int]]:
    asked: list[int] = []

    def make(n: int) -> bytes:
        asked.append(n)
        return bytes(n)

    return Kept(make, most, len), asked


def test_a_result_is_computed_once_while_it_is_kept() -> None:
    keep, asked = counted(100)
    assert keep(10) is keep(10) and asked == [10] and keep.bytes == 10


def test_the_one_asked_for_longest_ago_goes_first_and_the_bytes_stay_bounded() -> None:
    keep, asked = counted(100)
    for n in (40, 50, 40, 30):  # 50 is now the oldest
        keep(n)
    assert keep.bytes == 70 and len(keep) == 2
    keep(40)
    assert asked == [40, 50, 30]
    keep(50)
    assert asked == [40, 50, 30, 50] and keep.bytes == 90


def test_a_result_larger_than_all_that_may_be_kept_is_the_only_one() -> None:
    keep, asked = counted(100)
    keep(20), keep(500)
    assert keep.bytes == 500 and len(keep) == 1
    keep(500)
    assert asked == [20, 500]
    keep(20)
    assert keep.bytes == 20 and len(keep) == 1


def test_threads_that_ask_at_once_are_counted_once() -> None:
    together = threading.Barrier(4)

    def make(n: int) -> bytes:
        together.wait(20)  # all four are computing before any of them is done
        return bytes(n)

    keep: Kept[int, bytes] = Kept(make, 100, len)
    threads = [threading.Thread(target=keep, args=(30,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert keep.bytes == 30 and len(keep) == 1


def test_what_is_known_is_given_without_being_made() -> None:
    keep, asked = counted(100)
    assert keep.known(20) is None and asked == []
    made = keep(20)
    assert keep.known(20) is made and asked == [20]
