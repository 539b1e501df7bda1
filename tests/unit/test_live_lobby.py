"""Tabs that come, go, come back and are forgotten, with their runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnnviz.training.live.cluster import Pool
from rnnviz.training.live.dispatcher import Dispatcher
from rnnviz.training.live.lobby import PATIENCE, Gone, Lobby, NoRoom, Visit
from rnnviz.training.live.run import Run
from tests.unit.live_patience import impatient
from tests.unit.live_standin import STANDIN, start

__all__ = ["impatient"]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lobby(clock: Clock) -> Iterator[Lobby]:
    dispatcher = Dispatcher(Pool(1))
    yield Lobby(dispatcher, clock, most_runs=6, most_a_tab=4)
    dispatcher.close()


def add(lobby: Lobby, visit: Visit, group: str = "") -> Run:
    return lobby.add(visit, Run.of(start(), engine=STANDIN, group=group))


def playing(run: Run) -> bool:
    return run.look().playing


def test_keys_cannot_be_guessed_and_are_not_the_visitors_choice(lobby: Lobby) -> None:
    keys = {lobby.enter().key for _ in range(50)} | {lobby.enter("mine").key, lobby.enter("").key}
    assert len(keys) == 52
    assert "mine" not in keys
    assert all(len(key) >= 32 for key in keys)


def test_a_closed_tab_pauses_at_once_and_finds_its_runs_again(lobby: Lobby, clock: Clock) -> None:
    visit = lobby.enter()
    run = add(lobby, visit)
    run.play(0.5)
    lobby.leave(visit)
    assert not playing(run)
    clock.now += PATIENCE - 1
    back = lobby.enter(visit.key)
    assert back.key == visit.key
    assert lobby.runs(back) == (run,)
    assert not playing(run)


def test_a_reload_that_enters_before_it_leaves_plays_on(lobby: Lobby) -> None:
    visit = lobby.enter()
    run = add(lobby, visit)
    run.play(0.5)
    again = lobby.enter(visit.key)
    lobby.leave(visit)
    assert playing(run)
    lobby.leave(visit)  # told twice
    assert playing(run)
    lobby.leave(again)
    assert not playing(run)


def test_two_minutes_without_a_sign_of_life_end_it(lobby: Lobby, clock: Clock) -> None:
    visit = lobby.enter()
    run = add(lobby, visit)
    run.play(0.5)
    for _ in range(10):
        clock.now += PATIENCE - 1
        assert lobby.heartbeat(visit)
        lobby.sweep()
    assert playing(run)
    clock.now += PATIENCE + 1
    lobby.sweep()
    assert not playing(run)
    assert lobby.count() == (0, 0)
    assert lobby.runs(visit) == ()
    assert not lobby.heartbeat(visit)
    lobby.leave(visit)
    with pytest.raises(Gone, match="away for too long"):
        add(lobby, visit)
    with pytest.raises(Gone):
        lobby.run(visit, run.id)
    assert lobby.enter(visit.key).key != visit.key


def test_a_tab_sees_its_own_runs_only(lobby: Lobby) -> None:
    mine, yours = lobby.enter(), lobby.enter()
    run, other = add(lobby, mine, "tagger"), add(lobby, mine, "characters")
    theirs = add(lobby, yours, "tagger")
    assert lobby.runs(mine) == (run, other)
    assert lobby.runs(mine, "tagger") == (run,)
    assert lobby.run(mine, run.id) is run
    for wrong in (theirs.id, "", "x"):
        with pytest.raises(Gone, match="no such run"):
            lobby.run(mine, wrong)
        with pytest.raises(Gone):
            lobby.remove(mine, wrong)
    lobby.leave(yours)
    assert lobby.runs(mine) == (run, other)


def test_what_was_begun_before_a_tab_was_known_again_goes_along(lobby: Lobby) -> None:
    before = lobby.enter()
    old = [add(lobby, before), add(lobby, before)]
    lobby.leave(before)
    stranger = lobby.enter()  # the page was loaded anew, and has not said its key yet
    begun = [add(lobby, stranger) for _ in range(3)]
    begun[-1].play(0.5)
    lobby.note(stranger, "tagger_run", begun[-1].id)
    found = lobby.enter(before.key)
    lobby.move(stranger, found)
    lobby.leave(stranger)
    assert lobby.runs(found) == (*old, *begun[1:])  # four at most: the oldest one stays behind
    assert lobby.noted(found, "tagger_run") == begun[-1].id
    assert playing(begun[-1])
    lobby.move(found, found)
    lobby.move(Visit("gone", 0), found)
    assert len(lobby.runs(found)) == 4


def test_too_many_runs_in_a_tab_or_in_all_are_refused_with_a_sentence(lobby: Lobby, clock: Clock) -> None:
    first = lobby.enter()
    runs = [add(lobby, first) for _ in range(3)]
    lobby.branch(first, runs[0].id, label="branch")
    with pytest.raises(NoRoom, match="A tab can have 4 runs"):
        add(lobby, first)
    with pytest.raises(NoRoom, match="A tab can have 4 runs"):
        lobby.branch(first, runs[0].id)
    clock.now += PATIENCE
    second = lobby.enter()
    add(lobby, second)
    add(lobby, second)
    with pytest.raises(NoRoom, match="holds 6 runs"):
        add(lobby, second)
    lobby.remove(second, lobby.runs(second)[0].id)
    add(lobby, second)
    clock.now += 1  # the first tab has been away for too long: its runs make room
    add(lobby, second)
    assert lobby.count() == (1, 3)


def test_a_removed_run_is_paused_and_gone(lobby: Lobby) -> None:
    visit = lobby.enter()
    run = add(lobby, visit)
    run.play(0.5)
    lobby.remove(visit, run.id)
    assert not playing(run)
    assert lobby.runs(visit) == ()


def test_a_branch_is_a_run_of_its_own(lobby: Lobby) -> None:
    visit = lobby.enter()
    run = add(lobby, visit)
    branch = lobby.branch(visit, run.id, 0, 0.5, label="slower")
    assert lobby.runs(visit) == (run, branch)
    assert branch.look().label == "slower"
    with pytest.raises(ValueError, match="lr must be"):
        lobby.branch(visit, run.id, 0, "much")
    assert len(lobby.runs(visit)) == 2


def test_a_tab_s_notes_last_as_long_as_the_tab_and_are_nobody_else_s(lobby: Lobby, clock: Clock) -> None:
    visit, other = lobby.enter(), lobby.enter()
    assert lobby.noted(visit, "in view") == ""
    lobby.note(visit, "in view", "a")
    lobby.note(visit, "in view", "b")
    lobby.leave(visit)
    assert lobby.noted(lobby.enter(visit.key), "in view") == "b"  # a reload
    assert lobby.noted(other, "in view") == ""
    clock.now += PATIENCE + 1
    lobby.sweep()
    lobby.note(visit, "in view", "c")  # the tab is gone: nothing to note it with
    assert lobby.noted(visit, "in view") == ""


def test_a_tab_that_comes_back_too_late_is_told_once_what_is_gone(lobby: Lobby, clock: Clock) -> None:
    trained, idle = lobby.enter(), lobby.enter()
    run = add(lobby, trained)
    add(lobby, trained)  # nobody trained this one
    add(lobby, idle)
    version = run.version
    run.one_epoch()
    while not run.look().epoch:
        assert run.wait(version, 20)
        version = run.version
    clock.now += PATIENCE - 1
    assert lobby.lost(trained.key) == 0
    clock.now += 2
    assert [lobby.lost(key) for key in (trained.key, idle.key, "nobody", trained.key)] == [1, 0, 0, 0]
    assert not lobby.heartbeat(trained)
