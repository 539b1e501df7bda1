"""When the picture of a run that goes on is drawn again."""

from __future__ import annotations

from rnnviz.training.live import Run
from rnnviz.ui.lab.news import PICTURES, quiet
from tests.unit.live_standin import STANDIN, start


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_drawn_before_something_has_happened() -> None:
    clock, run = Clock(), Run.of(start(), engine=STANDIN)
    still = quiet((run,), lambda: 1, clock)
    clock.now = 100.0
    assert still()
    run.play()
    assert not still()


def test_what_happened_before_the_look_is_not_news() -> None:
    run = Run.of(start(), engine=STANDIN)
    run.play()
    assert quiet((run,), lambda: 1, Clock())()


def test_a_room_shares_its_pictures() -> None:
    clock, run, room = Clock(), Run.of(start(), engine=STANDIN), [10 * PICTURES]
    still = quiet((run,), lambda: room[0], clock)
    run.play()
    clock.now = 9.0
    assert still()  # a picture every ten seconds, for each of 150
    clock.now = 10.0
    assert not still()
    clock.now, room[0] = 0.1, 1
    assert not still()  # nobody else is left: at the next look


def test_the_end_of_a_run_is_news() -> None:
    clock, run = Clock(), Run.of(start(), engine=STANDIN)
    run.play()
    still = quiet((run,), lambda: 0, clock)
    run.pause()
    assert not still()
