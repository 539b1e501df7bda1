"""The encoder-decoder against the plain second writing of its equations, forward and backward (row D6)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import Tensor, nn
from torch.nn import functional

from rnnviz.models import attention, seq2seq, seq2seq_task
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.models.seq2seq_data import PairsData, rows
from rnnviz.models.seq2seq_task import Seq2SeqTask, attended
from rnnviz.presets import PRESETS
from rnnviz.training import Generated, Seq2SeqConfig, start
from rnnviz.training.pairs_config import PAD, SCORES, START
from tests.unit import seq2seq_reference as reference
from tests.unit.training_cases import seq2seqs

TASK = Seq2SeqTask()
UNEQUAL = (
    (("a", "b", "c", "a"), ("b", "a")),
    (("c",), ("a", "b", "b", "c")),
    (("b", "b"), ("c", "c", "a")),
)
SMALL = Seq2SeqConfig(
    UNEQUAL, embedding=3, hidden=2, decoder_hidden=4, heads=2, batch=3, shuffle=False, seed=4
)


def model_in_float64(config: Seq2SeqConfig) -> Seq2Seq:
    """The model of a run's start, all but its dropout."""
    model = Seq2Seq(replace(config, dropout=0.0)).double()
    model.load_state_dict({name: value.double() for name, value in start(config).weights.items()})
    return model.eval()


def arrays(model: nn.Module) -> dict[str, Any]:
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def whole(config: Seq2SeqConfig) -> PairsData:
    return rows(config, config.pairs, "cpu", len(config.pairs))


def by_the_reference(
    weights: Any, config: Seq2SeqConfig, teacher: Sequence[bool] | None = None
) -> list[reference.Seen]:
    """Each pair alone, so without any padding."""
    found = []
    for source, target in config.pairs:
        inputs = (START, *config.target_ids(target))
        found.append(reference.run(weights, config, config.source_ids(source), inputs, teacher))
    return found


def targets_of(config: Seq2SeqConfig) -> list[list[int]]:
    return [[*config.target_ids(target), 2] for _, target in config.pairs]


# Mask and packing tell padding from tokens; without both, the reference, which knows no padding, differs.
exact = seq2seqs(0.0).map(lambda config: replace(config, mask=True, packed=True))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(exact, st.data())
def test_a_padded_batch_is_the_reference_s_each_alone(config: Seq2SeqConfig, data: st.DataObject) -> None:
    model, batch = model_in_float64(config), whole(config).batches()[0]
    steps = batch.targets.shape[1]
    teacher = data.draw(st.none() | st.lists(st.booleans(), min_size=steps, max_size=steps))
    with torch.no_grad():
        logits = model(*batch.inputs, teacher).numpy()
    for row, seen in zip(logits, by_the_reference(arrays(model), config, teacher), strict=True):
        assert_allclose(row[: len(seen.logits)], np.array(seen.logits), rtol=1e-9, atol=1e-11)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(exact.filter(lambda config: config.attention != "none"))
def test_weights_are_the_reference_s_and_padding_has_none(config: Seq2SeqConfig) -> None:
    model, batch = model_in_float64(config), whole(config).batches()[0]
    with torch.no_grad():
        weights = attended(model, batch).numpy()  # (N, T, L) or (N, T, heads, L)
    assert_allclose(weights.sum(-1), 1.0, rtol=1e-12)
    lengths = batch.inputs[1].tolist()
    for row, length, seen in zip(weights, lengths, by_the_reference(arrays(model), config), strict=True):
        assert not row[..., length:].any()  # exactly 0, at the steps after the target's end too
        assert_allclose(row[: len(seen.weights), ..., :length], np.array(seen.weights), rtol=1e-9, atol=1e-12)


def gradient_by_differences(
    config: Seq2SeqConfig, weights: dict[str, Any], name: str, direction: Any
) -> float:
    """The slope of the reference's loss along a direction of one parameter."""
    losses = []
    for sign in (1, -1):
        moved = weights | {name: weights[name] + sign * 1e-6 * direction}
        logits = [seen.logits for seen in by_the_reference(moved, config)]
        losses.append(reference.loss(logits, targets_of(config)))
    return (losses[0] - losses[1]) / 2e-6


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(exact, st.integers(0, 2**32 - 1))
def test_gradients_are_the_slopes_of_the_reference_s_loss(config: Seq2SeqConfig, seed: int) -> None:
    config = replace(config, teacher=1.0, teacher_epochs=0, teacher_reversed=False)
    model, batch = model_in_float64(config), whole(config).batches()[0]
    TASK.loss(model, batch, config, 0).loss.backward()
    weights, draw = arrays(model), np.random.default_rng(seed)
    for name, parameter in model.named_parameters():
        direction = draw.standard_normal(parameter.shape)
        # Without attention's use (a source of one token: weights are 1) a parameter may have no gradient
        slope = 0.0 if parameter.grad is None else float((parameter.grad.numpy() * direction).sum())
        expected = gradient_by_differences(config, weights, name, direction)
        assert slope == pytest.approx(expected, rel=1e-5, abs=1e-8), name


# ---- the tests above can fail


def differs(config: Seq2SeqConfig) -> bool:
    """Whether the model and the reference now disagree on the loss of a padded batch."""
    model, batch = model_in_float64(config), whole(config).batches()[0]
    with torch.no_grad():
        mine = float(TASK.loss(model, batch, config, 0).loss)
    logits = [seen.logits for seen in by_the_reference(arrays(model), config)]
    return not math.isclose(mine, reference.loss(logits, targets_of(config)), rel_tol=1e-7)


@contextmanager
def patched(owner: Any, name: str, value: Any) -> Iterator[None]:
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)


@pytest.mark.parametrize("score", SCORES)
def test_the_reference_agrees_on_the_loss_of_a_padded_batch(score: Any) -> None:
    assert not differs(replace(SMALL, attention=score))


def test_a_dropped_mask_is_noticed() -> None:
    assert differs(replace(SMALL, mask=False))
    assert differs(replace(SMALL, packed=False))


def test_padding_in_the_loss_is_noticed() -> None:
    def unmasked(logits: Tensor, targets: Tensor, ignore_index: int = PAD) -> Tensor:
        return functional.cross_entropy(logits, targets)

    with patched(seq2seq_task, "cross_entropy", unmasked):
        assert differs(SMALL)


def test_a_context_of_another_row_is_noticed() -> None:
    context = attention.Attention.context

    def swapped(self: Any, a: Tensor, memory: Any) -> Tensor:
        return context(self, a, memory).flip(0)

    with patched(attention.Attention, "context", swapped):
        assert differs(SMALL)


def test_attention_by_the_state_after_the_step_is_noticed() -> None:
    with patched(seq2seq, "top", lambda state: torch.zeros_like(state[-1])):
        assert differs(SMALL)


def test_the_encoders_first_layer_in_place_of_its_top_is_noticed() -> None:
    deep = replace(SMALL, num_layers=2)
    assert not differs(deep)
    cat = torch.cat

    def bottom(parts: Any, dim: int = 0) -> Tensor:
        return cat([part.flip(0) for part in parts] if len(parts) == 2 and dim == -1 else parts, dim)

    with patched(torch, "cat", bottom):
        assert differs(deep)


# ---- the rows


def test_D6_the_notebooks_shapes_and_facts() -> None:
    config = PRESETS["D6"]
    assert isinstance(config, Seq2SeqConfig)
    state = start(config)
    model = Seq2Seq(config)
    model.load_state_dict(state.weights)
    encoder, decoder = model.encoder, model.decoder
    assert isinstance(encoder.rnn, nn.LSTM) and encoder.rnn.bidirectional
    assert (encoder.rnn.input_size, encoder.rnn.hidden_size) == (768, 256)
    assert isinstance(decoder.rnn, nn.GRU) and isinstance(decoder.attention, attention.Additive)
    assert decoder.rnn.input_size == 512 + 768  # fed [context; embedding]
    assert decoder.out.in_features == 256 + 512 + 768  # over [state; context; embedding]
    assert (encoder.embedding.num_embeddings, decoder.embedding.num_embeddings) == (1000, 1000)
    assert (config.dropout, config.teacher) == (0.1, 0.5)
    batch = TASK.data(config, "cpu").batches()[0]
    source, lengths, inputs = batch.inputs
    assert (source.shape, batch.targets.shape, inputs.shape) == ((4, 30), (4, 20), (4, 20))
    model.eval()
    with torch.no_grad():
        h, s = encoder(source, lengths)
        assert (h.shape, s.shape) == ((4, 30, 512), (4, 256))
        assert decoder.attention is not None
        _, weights, energies = decoder.attention(s, decoder.attention.remember(h, source != PAD))
        assert weights.shape == energies.shape == (4, 30)
        torch.testing.assert_close(weights.sum(-1), torch.ones(4))
        assert model(source, lengths, inputs, [True, False] * 10).shape == (4, 20, 1000)
        # softmax(v · tanh(W [s; h_j])), written as the notebook does: one W over the concatenation
        joined = torch.cat([s.unsqueeze(1).expand(4, 30, 256), h], dim=-1)
        additive = decoder.attention
        torch.testing.assert_close(
            torch.softmax(additive.v(torch.tanh(additive.W(joined))).squeeze(-1), dim=-1), weights
        )
        # the two final states: forward's after the last token, backward's after the first
        last = torch.cat([h[:, -1, :256], h[:, 0, 256:]], dim=-1)
        torch.testing.assert_close(torch.tanh(encoder.join(last)), s)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_E6_the_top_layers_states_are_joined_however_many_layers(layers: int) -> None:
    config = replace(SMALL, encoder="LSTM", num_layers=layers)
    encoder = model_in_float64(config).encoder
    assert encoder.join.in_features == 2 * config.hidden  # whatever the number of layers
    source, lengths, _ = whole(config).batches()[0].inputs
    h, s = encoder(source, lengths)
    ends = h[range(3), lengths - 1, : config.hidden]
    torch.testing.assert_close(s, torch.tanh(encoder.join(torch.cat([ends, h[:, 0, config.hidden :]], -1))))


def test_E1_the_ratio_works_backwards() -> None:
    """At ratio 1 every true token is fed; reversed, none is: the loss is that of the model's own tokens."""
    model, batch = model_in_float64(SMALL), whole(SMALL).batches()[0]
    steps = batch.targets.shape[1]

    def loss(ratio: float, reversed_: bool) -> float:
        config = replace(SMALL, teacher=ratio, teacher_reversed=reversed_)
        return float(TASK.loss(model, batch, config, 0).loss.detach())

    def fed(teacher: list[bool]) -> float:
        logits = model(*batch.inputs, teacher).flatten(0, 1)
        return float(functional.cross_entropy(logits, batch.targets.flatten(), ignore_index=PAD).detach())

    true, own = fed([True] * steps), fed([False] * steps)
    assert true != own
    assert loss(1.0, False) == loss(0.0, True) == true
    assert loss(0.0, False) == loss(1.0, True) == own


def test_the_ratio_goes_its_way_over_the_epochs() -> None:
    config = replace(SMALL, teacher=1.0, teacher_end=0.2, teacher_epochs=4)
    assert [config.ratio(epoch) for epoch in range(6)] == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2, 0.2])
    assert {replace(config, teacher_epochs=0).ratio(epoch) for epoch in range(6)} == {1.0}


def test_the_ratio_is_the_share_of_true_tokens() -> None:
    """Counted where the model can be asked: its steps that get another embedding than the target's."""
    config = replace(SMALL, teacher=0.7)
    counted = []

    class Counting(Seq2Seq):
        def forward(self, source: Any, lengths: Any, inputs: Any, teacher: Any = None) -> Tensor:
            counted.extend(teacher)
            return super().forward(source, lengths, inputs, teacher)

    model, batch = Counting(config).eval(), whole(config).batches()[0]
    torch.manual_seed(0)
    for _ in range(100):
        TASK.loss(model, batch, config, 0)
    assert np.mean(counted) == pytest.approx(0.7, abs=0.08)


def test_D9_sentences_of_unequal_length_are_ids_lengths_and_a_mask() -> None:
    config = PRESETS["D9"]
    assert isinstance(config, Seq2SeqConfig)
    batch = TASK.data(config, "cpu").batches()[0]
    source, lengths, inputs = batch.inputs
    assert lengths.tolist() == [2, 3, 5, 9]
    mask = source != PAD
    assert_array_equal(mask.sum(1).numpy(), lengths.numpy())
    assert [config.source_symbols[i] for i in source[1, :3]] == ["the", "dog", "sleeps"]
    assert [config.target_symbols[i] for i in batch.targets[1, :4]] == ["der", "Hund", "schläft", "<end>"]
    assert inputs[1, 0] == START and batch.count == sum(len(t) + 1 for _, t in config.pairs)
    assert_array_equal(batch.answers == -1, (batch.targets == PAD).numpy())


def test_generated_pairs_are_held_out_for_good() -> None:
    config = Seq2SeqConfig(Generated("copy", symbols=3, shortest=1, longest=3, train=30, held=9))
    trained, held = {s for s, _ in config.pairs}, {s for s, _ in config.held}
    assert not trained & held and len(trained) == 30 and len(held) == 9
    assert Seq2SeqConfig(config.data, seed=1).pairs != config.pairs
