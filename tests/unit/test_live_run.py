"""A run by itself, its slices done by hand: what is accepted, what is dropped, where it stands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from numpy.testing import assert_array_equal

from rnnviz.training.live.run import SPEEDS, TICK, Run
from rnnviz.training.slices import Slice, Stop
from tests.unit.live_patience import PATIENCE, impatient
from tests.unit.live_standin import STANDIN, after, start, work

__all__ = ["impatient"]

START = start()
MAX = float("inf")


def new(state: bytes = START) -> Run:
    return Run.of(state, label="first", engine=STANDIN)


def serve(run: Run, seconds: float = 1e9, now: float = 1.0) -> Slice | None:
    """One slice, as the dispatcher has it done; None when there is nothing to do."""
    job = run.job(seconds, now)
    if job is None:
        return None
    result = work(job.state, job.order)
    assert run.accept(job, result, now)
    return result


def train(run: Run, epochs: int) -> None:
    run.play(MAX, Stop(epochs=epochs))
    serve(run)
    assert run.look().epoch == epochs


def test_a_new_run_stands_still_at_its_first_state() -> None:
    run = new()
    look = run.look()
    assert (look.epoch, look.step, look.playing, look.busy, look.kept) == (0, 0, False, False, (0,))
    assert run.job(1.0, 0.0) is None
    assert run.due() is None
    assert run.state == START
    with pytest.raises(ValueError, match="not a state"):
        Run.of(b"something else", engine=STANDIN)


def test_played_run_gives_the_bits_of_an_uninterrupted_one() -> None:
    run = new()
    run.play(MAX, Stop(epochs=30))
    while run.look().playing:
        serve(run, seconds=0.0)  # a slice of one step
    assert run.state == after(START, 30)
    look = run.look()
    assert look.stopped == "30 epochs are done."
    assert not look.fault
    assert look.kept == tuple(range(31))
    assert_array_equal(look.curves.points("loss")[0], range(1, 31))
    for epoch in (1, 7, 29):
        assert run.seek(epoch) == (epoch, after(START, epoch))


def test_every_call_for_an_epoch_or_a_step_counts() -> None:
    run = new()
    for _ in range(3):
        run.one_epoch()
    run.one_step()
    while serve(run, seconds=0.0):
        pass
    look = run.look()
    assert (look.epoch, look.step, look.busy) == (3, 1, False)
    run.one_epoch()  # the rest of the epoch under way
    while serve(run, seconds=0.0):
        pass
    assert (run.look().epoch, run.look().step) == (4, 0)
    assert run.state == after(START, 4)


def test_pause_stands_still_at_once_and_drops_what_is_under_way() -> None:
    run = new()
    run.play()
    job = run.job(0.0, 0.0)
    assert job is not None
    late = work(job.state, job.order)
    version = run.version
    run.pause()
    assert run.version > version
    assert not run.look().playing
    assert not run.accept(job, late, 1.0)
    assert run.state == START
    run.play()  # and a slice of before is not taken over after that either
    assert not run.accept(job, late, 1.0)


@pytest.mark.parametrize(
    "told",
    [
        lambda run: run.reset(),
        lambda run: run.change(0.5),
        lambda run: run.set_speed(1.0),
        lambda run: run.set_until(Stop(epochs=2)),
        lambda run: run.one_step(),
        lambda run: run.restore(run.saved()),
    ],
    ids=["reset", "change", "speed", "until", "step", "restore"],
)
def test_results_of_before_are_dropped_and_a_failure_of_before_pauses_nothing(
    told: Callable[[Run], None],
) -> None:
    run = new()
    run.play()
    job = run.job(0.0, 0.0)
    assert job is not None
    late = work(job.state, job.order)
    told(run)
    look = run.look()
    assert not run.accept(job, late, 1.0)
    run.fail(job, "Something of before.")
    again = run.look()
    assert (again.version, again.playing, again.stopped) == (look.version, look.playing, "")


def test_a_change_applies_where_the_run_stands_and_a_playing_run_plays_on() -> None:
    run = new()
    train(run, 5)
    run.play(MAX, Stop(epochs=9))
    run.change(0.5)
    assert run.look().playing
    serve(run)
    changed = STANDIN.change(after(START, 5), 0.5)
    assert run.state == after(changed, 4)
    assert run.seek(5) == (5, changed)
    assert run.seek(4) == (4, after(START, 4))
    with pytest.raises(ValueError, match="lr must be a float"):
        run.change("much")
    assert run.state == after(changed, 4)


def test_seek_finds_the_nearest_kept_state_or_computes_the_very_one_again() -> None:
    run = new()
    run._history.budget = 3000  # a few states
    train(run, 40)
    run.one_step()
    serve(run)
    run.change(0.25)  # within an epoch
    train(run, 60)
    head = run.state
    stride = run._history.stride
    assert 4 <= stride <= 32
    assert run.look().kept == (*range(0, 60, stride), 60)
    for epoch in range(61):
        at, state = run.seek(epoch)
        assert abs(at - epoch) <= stride / 2
        assert STANDIN.check(state) == (at, 0)
        assert run.seek(epoch, exact=True) == (epoch, STANDIN.replay(START, head, epoch))
    assert run.seek() == (60, head)
    assert run.state == head
    for wrong in (-1, 61):
        with pytest.raises(ValueError, match="epoch must be 0 to 60"):
            run.seek(wrong, exact=True)
    assert run.picture("view", 31)[0] == run.seek(31)[0]
    assert run.picture("view")[1]["epoch"] == 60


def test_a_branch_goes_its_own_way_and_shares_nothing_that_changes() -> None:
    run = new()
    train(run, 10)
    before = run.look(), run.history(), run.state
    branch = run.branch(6, 0.5, label="slower")
    assert branch.id != run.id
    assert branch.origin.parent == run.id
    look = branch.look()
    assert (look.label, look.epoch, look.playing, look.kept) == ("slower", 6, False, tuple(range(7)))
    assert_array_equal(look.curves.points("loss")[0], range(1, 7))
    train(branch, 12)
    assert branch.state == after(STANDIN.change(after(START, 6), 0.5), 6)
    assert branch.seek(5) == run.seek(5)
    now = run.look(), run.history(), run.state
    assert (now[0].version, now[1], now[2]) == (before[0].version, before[1], before[2])
    branch.reset()
    assert branch.state == STANDIN.change(after(START, 6), 0.5)
    assert branch.look().kept == tuple(range(7))


def test_a_branch_from_where_the_run_stands_may_be_within_an_epoch() -> None:
    run = new()
    train(run, 2)
    run.one_step()
    serve(run)
    branch = run.branch()
    assert branch.state == run.state
    assert (branch.look().epoch, branch.look().step) == (2, 1)
    train(branch, 4)
    assert branch.state == after(START, 4)
    with pytest.raises(ValueError, match="epoch must be"):
        run.branch(7)


def test_reset_goes_back_to_the_first_state_and_forgets_the_rest() -> None:
    run = new()
    train(run, 10)
    run.reset()
    look = run.look()
    assert (run.state, look.epoch, look.kept, look.stopped, look.playing) == (START, 0, (0,), "", False)
    assert look.curves.names == ()
    train(run, 3)
    assert run.state == after(START, 3)


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_speed_is_kept_over_time_without_bursts(speed: float) -> None:
    run = new()
    run.play(speed)
    now, slices = 100.0, 0
    while now < 120.0:
        due = run.due()
        assert due is not None
        if speed == MAX:
            assert due <= now
            break
        now = max(now, due)
        if slices == 5:
            now += 7.0  # the machine was busy: nothing of this is caught up with
        serve(run, now=now)
        slices += 1
    if speed != MAX:
        steady = run.look().epoch / speed
        assert 13.0 - 1 / speed - TICK <= steady <= 20.0 + 2 / speed + TICK
        assert slices <= 20.0 / max(1 / speed, TICK) + 2


def test_a_slow_speed_shows_each_epoch() -> None:
    run = new()
    run.play(0.5)
    assert run.due() == 0.0  # the first one comes at once
    result = serve(run, now=50.0)
    assert result is not None and result.epoch == 1
    assert run.due() == 52.0
    run.set_speed(5.0)
    assert run.due() == 0.0


def test_an_epoch_longer_than_a_slice_is_one_epoch_of_its_speed_all_the_same() -> None:
    run = new()
    run.play(1.0)
    for _ in range(3):
        serve(run, seconds=0.0, now=50.0)  # one step each
    assert run.look().epoch == 1
    assert run.due() == 51.0


def test_only_known_speeds() -> None:
    run = new()
    for wrong in (3.0, 0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="speed must be one of"):
            run.play(wrong)
        with pytest.raises(ValueError, match="speed must be one of"):
            run.set_speed(wrong)
    assert not run.look().playing


def test_a_failed_slice_pauses_and_keeps_everything() -> None:
    run = new()
    train(run, 3)
    run.play()
    job = run.job(0.0, 0.0)
    assert job is not None
    run.fail(job, "The device is full.")
    look = run.look()
    assert (look.stopped, look.fault, look.playing, look.epoch) == ("The device is full.", True, False, 3)
    train(run, 5)
    assert run.look().stopped == "5 epochs are done."
    assert run.state == after(START, 5)


def test_the_picture_of_a_watched_view_comes_with_the_slice() -> None:
    run = new()
    run.watch("ab")
    train(run, 2)
    snapshot = run.look().snapshot
    assert snapshot["view"].tolist() == [97, 98]
    assert snapshot["epoch"] == 2
    run.change(0.5)
    assert run.look().snapshot == {}  # it was of before


def test_waiting_ends_with_the_next_news() -> None:
    run = new()
    seen = run.version
    assert not run.wait(seen, 0.0)
    told = threading.Thread(target=run.play)
    told.start()
    assert run.wait(seen, PATIENCE)
    told.join()


def test_a_look_does_not_change_any_more() -> None:
    run = new()
    train(run, 3)
    look = run.look()
    points = look.curves.points("loss")
    train(run, 6)
    assert (look.epoch, look.kept) == (3, (0, 1, 2, 3))
    for before, now in zip(points, look.curves.points("loss"), strict=True):
        assert_array_equal(before, now)


def test_threads_that_tell_a_run_everything_at_once_leave_a_true_state() -> None:
    run = new()
    over = threading.Event()
    faults: list[BaseException] = []

    def tell(*orders: Callable[[], Any]) -> None:
        try:
            for turn in range(150):
                orders[turn % len(orders)]()
        except BaseException as fault:
            faults.append(fault)

    def work_on() -> None:
        try:
            while not over.is_set():
                job = run.job(0.001, 0.0)
                if job is not None:
                    run.accept(job, work(job.state, job.order), 0.0)
        except BaseException as fault:
            faults.append(fault)

    worker = threading.Thread(target=work_on)
    users = [
        threading.Thread(target=tell, args=(run.play, run.pause, run.one_step)),
        threading.Thread(target=tell, args=(run.one_epoch, run.look, run.branch, lambda: run.seek(1))),
        threading.Thread(target=tell, args=(run.reset, run.saved, lambda: run.set_speed(100.0))),
    ]
    for thread in (worker, *users):
        thread.start()
    for thread in users:
        thread.join()
    over.set()
    worker.join()
    assert faults == []
    look = run.look()
    # Nothing was changed but the time: whatever happened, the run stands on the one way there is.
    at, state = run.seek(look.epoch)
    assert STANDIN.check(run.state) == (look.epoch, look.step)
    for epoch, kept in run.history():
        assert kept == after(START, epoch)
    assert state == after(START, at)
