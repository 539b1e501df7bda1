"""A run as one file: it comes back whole, and anything else is refused with a sentence."""

from __future__ import annotations

import json
import pickle
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from safetensors.numpy import load, save

from rnnviz.training.live import runfile
from rnnviz.training.live.run import Run
from rnnviz.training.slices import Stop
from tests.unit.live_standin import STANDIN, after, start, work


def trained(epochs: int = 700, steps: int = 0) -> Run:
    run = Run.of(start(cost=1), label="D1 与", group="tagger", engine=STANDIN)
    run.play(float("inf"), Stop(epochs=epochs))
    job = run.job(1e9, 0.0)
    assert job is not None
    run.accept(job, work(job.state, job.order), 0.0)
    run.change(0.5)
    for _ in range(steps):
        run.one_step()
        job = run.job(1e9, 0.0)
        assert job is not None
        run.accept(job, work(job.state, job.order), 0.0)
    return run


RUN = trained()
FILE = runfile.to_bytes(RUN)


def opened(data: bytes) -> Run:
    return runfile.from_bytes(data, engine=STANDIN)


@pytest.mark.parametrize("steps", [0, 1, 3, 4])
def test_a_run_comes_back_paused_with_everything_it_had(steps: int) -> None:
    run = trained(steps=steps)
    back = opened(runfile.to_bytes(run))
    look, before = back.look(), run.look()
    assert (look.epoch, look.step, look.kept) == (before.epoch, before.step, before.kept)
    assert (look.label, back.group, look.playing) == ("D1 与", "tagger", False)
    assert back.state == run.state
    assert back.history() == run.history()
    for name in before.curves.names:
        for column in range(before.curves.columns(name)):
            for mine, theirs in zip(
                look.curves.points(name, column), before.curves.points(name, column), strict=True
            ):
                assert_array_equal(mine, theirs)
    assert runfile.to_bytes(back) == runfile.to_bytes(run)
    back.play(float("inf"), Stop(epochs=before.epoch + 5))
    job = back.job(1e9, 0.0)
    assert job is not None
    back.accept(job, work(job.state, job.order), 0.0)
    # To the bit as if it had never been away, and rewinding goes back over the save.
    at = before.epoch + 5
    assert back.state == STANDIN.replay(run.state, run.state, at)
    assert back.seek(333, exact=True)[1] == after(start(cost=1), 333)
    back.reset()
    assert back.state == start(cost=1)


def test_a_branch_comes_back_with_its_past() -> None:
    branch = RUN.branch(100, 0.25)
    back = opened(runfile.to_bytes(branch))
    assert back.state == branch.state
    assert back.look().kept == branch.look().kept


def changed(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> bytes:
    """The file with its tensors and words changed."""
    arrays = dict(load(FILE))
    size = int.from_bytes(FILE[:8], "little")
    words = json.loads(json.loads(FILE[8 : 8 + size])["__metadata__"][runfile.FORMAT])
    change(arrays, words)
    return bytes(save(arrays, {runfile.FORMAT: json.dumps(words)}))


def other(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda arrays, _: arrays.update({name: value})


def raw(data: bytes) -> Any:
    return np.frombuffer(data, np.uint8)


LAST = max(RUN.look().kept)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda arrays, words: words.update(stride=0), "not a run saved here"),
        (lambda arrays, words: words.update(stride="1"), "not a run saved here"),
        (lambda arrays, words: words.update(stride=True), "not a run saved here"),
        (lambda arrays, words: words.update(label=3), "not a run saved here"),
        (lambda arrays, words: words.update(group="x" * 201), "not a run saved here"),
        (lambda arrays, words: words.pop("stride"), "not a run saved here"),
        (lambda arrays, words: arrays.pop("state"), "'state' is missing"),
        (lambda arrays, words: arrays.pop("origin"), "'origin' is missing"),
        (other("state", np.zeros(4)), "'state' is missing or is no state"),
        (other("state", raw(b"{}")), "'state': not a state"),
        (other("history/0", raw(after(start(), 1))), "is of epoch 1"),
        (other("history/7000", raw(after(start(), 7000))), "is of epoch 7000"),
        (other("history/-1", raw(start())), "no epoch"),
        (other("history/１", raw(start())), "no epoch"),
        (other("history/4", raw(b"x")), "'history/4': not a state"),
        (other("curve/loss/keys", np.zeros(3, np.int64)), "curve 'loss'"),
        (other("curve/loss/width", np.array([0])), "curve 'loss'"),
        (other("curve/loss/ends", np.full((2, 2), np.nan)), "curve 'loss'"),
        (other("curve/loss/low", np.zeros((3, 1))), "curve 'loss'"),
        (other("curve/x/low", np.zeros((3, 1))), "curve 'x'"),
        (other("rows/x/rows", np.zeros((3, 1))), "curve 'x'"),
        (lambda arrays, words: arrays["curve/loss/low_at"].__setitem__((0, 0), 500), "curve 'loss'"),
    ],
)
def test_a_changed_file_is_refused_with_the_part_that_is_wrong(
    change: Callable[[dict[str, Any], dict[str, Any]], None], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        opened(changed(change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 8,
        b"{}",
        b"\xff" * 100,
        pickle.dumps({"a": 1}),
        start(),
        FILE[:-1],
        FILE[:5000],
        FILE + b"x",
    ],
    ids=["empty", "zeros", "json", "ones", "pickle", "a state", "shorter", "cut", "longer"],
)
def test_what_is_no_run_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a run saved here|is damaged"):
        opened(data)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(ValueError, match=r"64 MB at most"):
        opened(bytes(runfile.LIMIT + 1))


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_random_bytes_give_nothing_but_value_errors(data: bytes) -> None:
    for tried in (data, len(data).to_bytes(8, "little") + data):
        with pytest.raises(ValueError):
            opened(tried)


@settings(max_examples=200)
@given(st.data())
def test_flipped_bytes_give_a_run_or_a_value_error(data: st.DataObject) -> None:
    header = 8 + int.from_bytes(FILE[:8], "little")
    anywhere = st.integers(0, len(FILE) - 1) | st.integers(0, header)
    broken = bytearray(FILE)
    for place in data.draw(st.lists(anywhere, min_size=1, max_size=4)):
        broken[place] = data.draw(st.integers(0, 255))
    try:
        run = opened(bytes(broken))
    except ValueError:
        return
    look = run.look()
    for name in look.curves.names:
        look.curves.points(name) if look.curves.columns(name) else look.curves.rows(name)
    run.seek(look.epoch // 2)
    run.branch()
    runfile.to_bytes(run)


def test_what_can_be_saved_can_be_uploaded() -> None:
    text = (Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["server"]["maxUploadSize"] * 2**20 >= runfile.LIMIT
