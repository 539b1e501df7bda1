"""A run's bytes: all of it, the same bits again, and a sentence for anything else."""

from __future__ import annotations

import json
import pickletools
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.models import Tagger
from rnnviz.presets import SENTENCES, TRAINING_PRESETS
from rnnviz.training import RunState, advance, change, start, step
from rnnviz.training.changes import Device, Edit, LearningRate, Silence
from rnnviz.training.config import CharsConfig, Optimiser, TaggerConfig
from rnnviz.training.engine import state_dict_bytes


def busy() -> RunState:
    """A run that has everything a run can have, within an epoch."""
    config = TaggerConfig(
        (*SENTENCES, SENTENCES[0][:2]),
        (((("new"), "X"),),),
        dropout=0.3,
        num_layers=2,
        shuffle=True,
        unknown=1,
        optimiser=Optimiser("RMSprop", 0.01, momentum=0.9, clip=1.0),
    )
    state = change(start(config), LearningRate(0.02))
    state = change(advance(state, 2), LearningRate(0.1))
    state = change(change(state, Silence(3, layer=1)), Edit("linear.bias", (2,), -1.0))
    return step(step(change(state, Device("cpu"))))


BUSY = busy()
DATA = BUSY.to_bytes()


def opened(data: bytes) -> RunState | str:
    """The run, or the sentence that says why there is none. Any other exception passes through."""
    try:
        return RunState.from_bytes(data)
    except ValueError as fault:
        return str(fault)


def header_of(data: bytes) -> dict[str, Any]:
    size = struct.unpack("<Q", data[:8])[0]
    found: dict[str, Any] = json.loads(data[8 : 8 + size])
    return found


def with_header(data: bytes, header: dict[str, Any]) -> bytes:
    size = struct.unpack("<Q", data[:8])[0]
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


def with_standing(edit: Callable[[dict[str, Any]], Any]) -> bytes:
    """The busy run's bytes with the JSON of where it stands edited, or replaced by what is returned."""
    header = header_of(DATA)
    line, _, text = header["__metadata__"]["rnnviz"].partition("\n")
    standing = json.loads(line)
    changed = edit(standing)
    standing = changed if isinstance(changed, dict | list) and changed else standing
    header["__metadata__"]["rnnviz"] = f"{json.dumps(standing)}\n{text}"
    return with_header(DATA, header)


def with_config(edit: Callable[[dict[str, Any]], Any]) -> bytes:
    header = header_of(DATA)
    line, _, text = header["__metadata__"]["rnnviz"].partition("\n")
    config = json.loads(text)
    config = edit(config) or config
    header["__metadata__"]["rnnviz"] = f"{line}\n{json.dumps(config)}"
    return with_header(DATA, header)


def with_tensors(edit: Callable[[dict[str, torch.Tensor]], object]) -> bytes:
    tensors = safetensors.torch.load(DATA)
    edit(tensors)
    return safetensors.torch.save(tensors, header_of(DATA)["__metadata__"])


@pytest.mark.parametrize("name", [*TRAINING_PRESETS, "busy"])
def test_a_round_trip_gives_the_same_bits(name: str) -> None:
    state = BUSY if name == "busy" else advance(start(TRAINING_PRESETS[name]), 3)
    again = RunState.from_bytes(state.to_bytes())
    assert again.to_bytes() == state.to_bytes()
    assert (again.config, again.epoch, again.step, again.losses) == (
        state.config,
        state.epoch,
        state.step,
        state.losses,
    )
    assert (again.changes, again.stopped, again.sums) == (state.changes, state.stopped, state.sums)
    for mine, theirs in ((again.weights, state.weights), (again.optimizer, state.optimizer)):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)


def test_it_is_one_safetensors_file_and_no_pickle() -> None:
    tensors = safetensors.torch.load(DATA)
    assert torch.equal(tensors["weights/linear.bias"], BUSY.weights["linear.bias"])
    assert header_of(DATA)["__metadata__"].keys() == {"rnnviz"}
    with pytest.raises(ValueError):
        list(pickletools.genops(DATA))


def test_a_stopped_run_keeps_its_sentence() -> None:
    broken = advance(change(start(TRAINING_PRESETS["D1"]), LearningRate(1e6)), 5)
    again = RunState.from_bytes(broken.to_bytes())
    assert again.stopped == broken.stopped != ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a run"),
        (b"\x80\x04K\x01.", "not a run"),
        (DATA[:-1], "not a run"),
        (DATA[: len(DATA) // 2], "not a run"),
        (DATA + b"\0", "not a run"),
        (struct.pack("<Q", 2**62) + DATA[8:], "not a run"),
        (with_header(DATA, header_of(DATA) | {"__metadata__": {}}), "entry of rnnviz"),
        (with_header(DATA, header_of(DATA) | {"__metadata__": {"rnnviz": "[" * 100_000}}), "deeply"),
        (safetensors.torch.save({"x": torch.zeros(2)}), "entry of rnnviz"),
        (with_standing(lambda s: {"format": 1}), "where the run stands"),
        (with_standing(lambda s: [1]), "where the run stands"),
        (with_standing(lambda s: s.update(format=2)), "format"),
        (with_standing(lambda s: s.update(task="nothing")), "task"),
        (with_standing(lambda s: s.update(task=["tagger"])), "task"),
        (with_standing(lambda s: s.update(task="chars")), "source|fields"),
        (with_standing(lambda s: s.update(epoch=float("nan"))), "NaN"),
        (with_standing(lambda s: s.update(epoch=-1)), "epoch"),
        (with_standing(lambda s: s.update(epoch=2.0)), "epoch"),
        (with_standing(lambda s: s.update(epoch=True)), "epoch"),
        (with_standing(lambda s: s.update(epoch=3)), "losses after 3"),
        (with_standing(lambda s: s.update(epoch=10**400)), "epoch"),
        (with_standing(lambda s: s.update(step=3)), "step"),
        (with_standing(lambda s: s.update(step=-1)), "step"),
        (with_standing(lambda s: s.update(stopped=None)), "stopped"),
        (with_standing(lambda s: s.update(stopped="x" * 2000)), "stopped"),
        (with_standing(lambda s: s.update(sums=[0.0, -1, 4])), "step|whole"),
        (with_standing(lambda s: s.update(sums=[0.0, 5, 4])), "whole"),
        (with_standing(lambda s: s.update(sums="12")), "sums"),
        (with_standing(lambda s: s.update(changes={})), "changes"),
        (with_standing(lambda s: s.update(changes=[[0, 0, {"change": "Edit"}]])), "change"),
        (with_standing(lambda s: s.update(changes=[[9, 0, s["changes"][0][2]]])), "order of time"),
        (with_standing(lambda s: s["changes"].reverse()), "order of time|change"),
        (with_standing(lambda s: s["changes"][0].remove(s["changes"][0][1])), "changes"),
        (with_standing(lambda s: s.update(changes=[s["changes"][0]] * 10_001)), "10000"),
        (with_config(lambda c: c.update(hidden=10**12)), "hidden"),
        (with_config(lambda c: c.update(hidden=512)), "weights"),
        (with_config(lambda c: c.update(hidden=None)), "hidden"),
        (with_config(lambda c: c.update(seed=-1)), "seed"),
        (with_config(lambda c: c.update(kind=["LSTM"])), "kind"),
        (with_config(lambda c: c.update(extra=1)), "extra"),
        (with_config(lambda c: c.update(sentences=c["held_out"][:0])), "sentences"),
        (with_config(lambda c: {k: v for k, v in c.items() if k != "sentences"}), "needs sentences"),
        (with_config(lambda c: c.update(sentences=[[["a"]]])), "sentences"),
        (with_config(lambda c: c.update(sentences=[[[["a"], "b"]]])), "sentences"),
        (with_config(lambda c: c.update(sentences=[{"a": "b"}])), "sentences"),
        (with_config(lambda c: c.update(sentences=[[["\ud800", "b"]]])), "UTF-8"),
        (with_config(lambda c: c.update(optimiser=[])), "object"),
        (with_config(lambda c: c["optimiser"].update(lr=1e400)), "Infinity|lr"),
        (with_config(lambda c: ["tagger"]), "object"),
        (with_tensors(lambda t: t.pop("weights/linear.bias")), "linear.bias"),
        (with_tensors(lambda t: t.update({"more": torch.zeros(1)})), "no place"),
        (with_tensors(lambda t: t.update({"weights/linear.bias": torch.zeros(9)})), "linear.bias"),
        (with_tensors(lambda t: t.update({"weights/linear.bias": torch.zeros(4).double()})), "F64"),
        (with_tensors(lambda t: t.update({"weights/linear.bias": torch.full((4,), torch.nan)})), "finite"),
        (with_tensors(lambda t: t.update({"losses": torch.tensor([1.0, torch.inf]).double()})), "finite"),
        (with_tensors(lambda t: t.update({"losses": torch.zeros(2, 1).double()})), "losses"),
        (with_tensors(lambda t: t.update({"order": torch.tensor([0, 0, 1])})), "order"),
        (with_tensors(lambda t: t.update({"order": torch.tensor([0, 1, -1])})), "order"),
        (with_tensors(lambda t: t.pop("before/linear.bias")), "before"),
        (with_tensors(lambda t: t.pop("optimizer/linear.bias/step")), "step"),
        (with_tensors(lambda t: t.update({"random/cpu": torch.zeros(5056, dtype=torch.uint8)})), "generator"),
        (with_tensors(lambda t: t.update({"random/cpu": torch.zeros(5, dtype=torch.uint8)})), "generator"),
    ],
)
def test_bytes_that_are_no_run_get_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as fault:
        RunState.from_bytes(data)
    assert str(fault.value).startswith("This is not a run that can be opened: ")
    assert len(str(fault.value)) < 2000


def test_only_bytes_are_opened() -> None:
    for wrong in (None, "text", 3, [1]):
        with pytest.raises(ValueError, match="bytes"):
            RunState.from_bytes(wrong)  # type: ignore[arg-type]
    others: list[Any] = [bytearray(DATA), memoryview(DATA)]
    assert all(RunState.from_bytes(other).to_bytes() == DATA for other in others)


def usable(found: RunState | str) -> None:
    """Whatever is opened can be trained and written."""
    if isinstance(found, RunState):
        found.to_bytes()
        advance(found, 1).to_bytes()


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_run_or_a_sentence(data: bytes) -> None:
    assert isinstance(opened(data), str)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes_give_a_run_or_a_sentence(flips: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for place, value in flips:
        data[place] = value
    usable(opened(bytes(data)))


@settings(max_examples=200)
@given(st.data())
def test_flipped_headers_give_a_run_or_a_sentence(data: st.DataObject) -> None:
    size = 8 + struct.unpack("<Q", DATA[:8])[0]
    flipped = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 3))):
        flipped[data.draw(st.integers(0, size - 1))] = data.draw(st.integers(32, 126))
    usable(opened(bytes(flipped)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.data(), JSON)
def test_any_json_in_any_field_gives_a_run_or_a_sentence(data: st.DataObject, value: Any) -> None:
    line, _, text = header_of(DATA)["__metadata__"]["rnnviz"].partition("\n")
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(json.loads(line))))
        usable(opened(with_standing(lambda s: s.update({name: value}))))
    else:
        name = data.draw(st.sampled_from(sorted(json.loads(text))))
        usable(opened(with_config(lambda c: c.update({name: value}))))


def test_hostile_sizes_take_no_memory() -> None:
    header = header_of(DATA)
    header["weights/linear.weight"] |= {"shape": [2**40, 2**20]}
    large = [
        with_header(DATA, header),
        with_config(lambda c: c.update(hidden=512, embedding=512, num_layers=4, bidirectional=True)),
        struct.pack("<Q", 99_000_000) + DATA[8:],
    ]
    tracemalloc.start()
    for data in large:
        assert isinstance(opened(data), str)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * len(DATA)


def test_a_state_dict_is_opened_by_a_bare_module() -> None:
    state = advance(start(TRAINING_PRESETS["D1"]), 2)
    config = state.config
    assert isinstance(config, TaggerConfig)
    model = Tagger(config)
    model.load_state_dict(safetensors.torch.load(state_dict_bytes(state)))
    assert all(torch.equal(value, state.weights[name]) for name, value in model.state_dict().items())


def test_a_configuration_names_what_is_wrong() -> None:
    good: Any = TRAINING_PRESETS["D1"]
    for field, value in (
        ("sentences", ()),
        ("sentences", [1]),
        ("sentences", ((),)),
        ("held_out", None),
        ("case", "upper"),
        ("kind", "CNN"),
        ("embedding", 0),
        ("hidden", 1.5),
        ("num_layers", 5),
        ("bidirectional", 1),
        ("dropout", 1.0),
        ("dropout", float("nan")),
        ("batch", 0),
        ("shuffle", "yes"),
        ("unknown", -1),
        ("optimiser", "SGD"),
        ("seed", -1),
        ("device", "tpu"),
    ):
        with pytest.raises(ValueError, match=field):
            replace(good, **{field: value})
    for field, value in (("lr", -1), ("momentum", 2), ("weight_decay", "x"), ("clip", -1), ("name", "LBFGS")):
        with pytest.raises(ValueError, match=field):
            Optimiser(**{field: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="momentum"):
        Optimiser("Adam", 0.1, momentum=0.5)
    for field, value in (
        ("target", "ohlo"),
        ("hidden", 5),
        ("num_layers", 2),
        ("source", ""),
        ("layer", "x"),
    ):
        with pytest.raises(ValueError, match=field):
            CharsConfig(**{field: value})  # type: ignore[arg-type]
