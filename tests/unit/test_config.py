"""LayerConfig refuses what the modules refuse, naming the field, the value and what is allowed."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from rnnviz import LayerConfig
from rnnviz.gates import Kind

GOOD: dict[str, Any] = {"kind": "LSTM", "input_size": 3, "hidden_size": 4}
BAD: list[tuple[str, Any, str]] = [  # field, value, a part of what is allowed
    ("kind", "lstm", "LSTM"),
    ("kind", "", "GRU"),
    ("kind", None, "RNN"),
    ("input_size", 0, "1"),
    ("input_size", -1, "1"),
    ("input_size", 3.0, "int|whole"),
    ("input_size", "3", "int|whole"),
    ("input_size", True, "int|whole"),
    ("hidden_size", 0, "1"),
    ("hidden_size", 4.5, "int|whole"),
    ("hidden_size", True, "int|whole"),
    ("hidden_size", None, "int|whole"),
    ("num_layers", 0, "1"),
    ("num_layers", False, "int|whole"),
    ("num_layers", 2.0, "int|whole"),
    ("nonlinearity", "sigmoid", "tanh"),
    ("nonlinearity", None, "relu"),
    ("bias", 1, "True"),
    ("bias", "no", "False"),
    ("batch_first", 0, "True"),
    ("batch_first", None, "False"),
    ("bidirectional", 1, "True"),
    ("dropout", -0.1, "0"),
    ("dropout", 1.1, "1"),
    ("dropout", float("nan"), "0"),
    ("dropout", float("inf"), "1"),
    ("dropout", True, "0"),
    ("dropout", "0.5", "0"),
    ("proj_size", -1, "0"),
    ("proj_size", 4, "hidden_size"),
    ("proj_size", 9, "hidden_size"),
    ("proj_size", 2.0, "int|whole"),
    ("proj_size", True, "int|whole"),
]


@pytest.mark.parametrize(("field", "value", "allowed"), BAD)
def test_a_bad_value_names_field_value_and_what_is_allowed(field: str, value: Any, allowed: str) -> None:
    with pytest.raises(ValueError, match=allowed) as error:
        LayerConfig(**(GOOD | {field: value}))
    assert field in str(error.value)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_only_the_LSTM_projects(kind: Kind) -> None:
    with pytest.raises(ValueError, match="proj_size") as error:
        LayerConfig(kind, 3, 4, proj_size=2)
    assert "LSTM" in str(error.value)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_only_the_RNN_has_a_choice_of_nonlinearity(kind: Kind) -> None:
    with pytest.raises(ValueError, match="nonlinearity") as error:
        LayerConfig(kind, 3, 4, nonlinearity="relu")
    assert "RNN" in str(error.value)


@pytest.mark.parametrize("field", dataclasses.fields(LayerConfig), ids=lambda field: field.name)
def test_every_field_is_checked(field: dataclasses.Field[Any]) -> None:
    assert field.name in {name for name, _, _ in BAD}
    with pytest.raises(ValueError, match=field.name):
        LayerConfig(**(GOOD | {field.name: object()}))


def test_numpy_whole_numbers_become_plain_ones() -> None:
    config = LayerConfig("LSTM", np.int64(3), np.int32(4))  # type: ignore[arg-type]
    assert config == LayerConfig("LSTM", 3, 4)
    assert hash(config) == hash(LayerConfig("LSTM", 3, 4))
    assert type(config.input_size) is int and type(config.hidden_size) is int


def test_equal_configurations_are_one_key_and_cannot_be_changed() -> None:
    config = LayerConfig("GRU", 3, 4, dropout=0)
    assert {config, LayerConfig("GRU", 3, 4, dropout=0.0)} == {config}
    assert config != LayerConfig("GRU", 3, 5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.hidden_size = 7  # type: ignore[misc]


def test_the_defaults_are_PyTorchs() -> None:
    assert dataclasses.asdict(LayerConfig("RNN", 3, 4)) == {
        "kind": "RNN",
        "input_size": 3,
        "hidden_size": 4,
        "num_layers": 1,
        "nonlinearity": "tanh",
        "bias": True,
        "batch_first": False,
        "dropout": 0.0,
        "bidirectional": False,
        "proj_size": 0,
    }


def test_replacing_a_field_checks_it_again() -> None:
    with pytest.raises(ValueError, match="num_layers"):
        dataclasses.replace(LayerConfig("RNN", 3, 4), num_layers=0)
