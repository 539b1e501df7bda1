"""The encoder-decoder as the engine sees it; see `rnnviz.models.seq2seq` for the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rnnviz.models.attention import Memory
from rnnviz.models.decoding import How, decode, greedy
from rnnviz.models.seq2seq import Seq2Seq, State
from rnnviz.models.seq2seq_data import PairsData, prepared, right_positions
from rnnviz.training.config import refuse
from rnnviz.training.pairs_config import MAX_LENGTH, PAD, Seq2SeqConfig
from rnnviz.training.task import Arrays, Batch, Done, Rows, as_numpy, register, unit_rows


class Seq2SeqTask:
    """The encoder-decoder as the engine sees it."""

    config_type = Seq2SeqConfig

    def model(self, config: Seq2SeqConfig) -> Seq2Seq:
        return Seq2Seq(config)

    def data(self, config: Seq2SeqConfig, device: str) -> PairsData:
        return prepared(config, device, False)

    def items(self, config: Seq2SeqConfig) -> int:
        return len(config.pairs)

    def batch_size(self, config: Seq2SeqConfig) -> int:
        return config.batch

    def shuffled(self, config: Seq2SeqConfig) -> bool:
        return config.shuffle

    def loss(self, model: nn.Module, batch: Batch, config: Seq2SeqConfig, epoch: int) -> Done:
        drawn = torch.rand(batch.targets.shape[1])  # one draw for each of the decoder's steps
        ratio = config.ratio(epoch)
        teacher = drawn >= ratio if config.teacher_reversed else drawn < ratio
        logits = model(*batch.inputs, teacher.tolist())  # (N, T, V)
        loss = cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=PAD)
        return Done(loss, logits)

    def held(self, config: Seq2SeqConfig, layer: int, direction: int, unit: int) -> Rows:
        if layer >= config.num_layers or direction >= config.directions or unit >= config.hidden:
            sizes = f"layers {config.num_layers}, directions {config.directions}, units {config.hidden}"
            allowed = f"{sizes} of the encoder, counted from 0"
            raise refuse("layer, direction, unit", (layer, direction, unit), allowed)
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        return unit_rows("encoder.rnn", suffix, config.encoder, config.hidden, unit)

    def holds_out(self, config: Seq2SeqConfig) -> bool:
        return bool(config.held)

    def evaluate(self, model: nn.Module, config: Seq2SeqConfig, *, held_out: bool) -> tuple[float, float]:
        """The loss with true tokens fed, and how many strings are decoded without a fault, greedily."""
        assert isinstance(model, Seq2Seq)
        data = prepared(config, device_of(model), held_out)
        total, right, count = 0.0, 0, 0
        for batch in data.batches():
            logits = model(*batch.inputs)
            flat, targets = logits.flatten(0, 1), batch.targets.flatten()
            total += float(cross_entropy(flat, targets, ignore_index=PAD, reduction="sum"))
            said = greedy(model, batch.inputs[0], batch.inputs[1], batch.targets.shape[1])
            right += int(((said == batch.targets) | (batch.targets == PAD)).all(dim=1).sum())
            count += batch.count
        return total / count, right / len(data)

    def log(self, config: Seq2SeqConfig, batch: Batch, done: Done) -> Arrays:
        return {}

    def watch(self, model: nn.Module, config: Seq2SeqConfig) -> dict[str, float]:
        """``alignment``: how many of the held-out tokens with a known origin have their largest weight on it,
        true tokens being fed; ``entropy``: of the weights, in nats, over all steps. NaN where there are none.
        """
        assert isinstance(model, Seq2Seq)
        if not config.held or not config.context:
            return {"alignment": math.nan, "entropy": math.nan}
        batch = prepared(config, device_of(model), True).batches()[0]
        weights = as_numpy(attended(model, batch))
        counts = batch.answers >= 0
        entropy = -(weights * np.log(np.maximum(weights, 1e-30))).sum(-1)
        entropy = entropy.mean(-1) if entropy.ndim == 3 else entropy
        return {
            "alignment": _alignment(config, weights),
            "entropy": float(entropy[counts].mean()),
        }

    def snapshot(self, model: nn.Module, config: Seq2SeqConfig, view: Mapping[str, Any]) -> Arrays:
        """One source and what the model makes of it.

        The view: ``source`` (a list of tokens), or ``pair`` (its number, 0) with ``held_out`` (True: one of
        those); ``target`` (a list of tokens to feed; for a pair, True for its own). Without a target the
        model's own tokens are fed. The arrays are those of `rnnviz.models.decoding.Decoded` by their names:
        ``source_ids`` (L), ``ids`` and ``predicted`` (T), ``weights`` and ``energies`` (T, L) or (T, heads,
        L), ``logits`` (T, V), ``log_probs`` (T), ``states`` (T, S), and so on; without attention none of its.
        """
        assert isinstance(model, Seq2Seq)
        source, target = _chosen(config, view)
        return decode(model, config, source, How(target=target)).arrays()


def device_of(model: Seq2Seq) -> str:
    """ "cpu" or "cuda"."""
    return str(next(model.parameters()).device.type)


def attended(model: Seq2Seq, batch: Batch) -> Tensor:
    """The weights (N, T, L) or (N, T, heads, L) when a batch's true tokens are fed."""
    source, lengths, inputs = batch.inputs
    return followed(model, model.read(source, lengths)[:2], inputs)


def followed(model: Seq2Seq, reading: tuple[State, Memory | None], inputs: Tensor) -> Tensor:
    """The same after ``model.read``, when ``inputs`` (N, T) are fed."""
    state, memory = reading
    embedded = model.decoder.embedding(inputs)  # (N, T, E)
    weights = []
    for t in range(inputs.shape[1]):
        look = model.decoder.step(embedded[:, t], state, memory)
        state = look.state
        weights.append(look.weights)
    return torch.stack(weights, dim=1)  # type: ignore[arg-type]


def _alignment(config: Seq2SeqConfig, weights: Any) -> float:
    right = right_positions(config)
    if right is None:
        return math.nan
    joined = weights.mean(2) if weights.ndim == 4 else weights  # the heads together
    right = right[: len(joined)]
    peaks = joined.argmax(-1)  # (N, T)
    found = np.take_along_axis(right, peaks[..., None], -1)[..., 0]
    return float(found[right.any(-1)].mean())


def _chosen(config: Seq2SeqConfig, view: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The source that a view asks for, and the target to feed, if any."""
    target = view.get("target")
    if "source" in view:
        return _tokens("source", view["source"]), None if target is None else _tokens("target", target)
    pairs = (config.held or config.pairs) if view.get("held_out", True) else config.pairs
    number = view.get("pair", 0)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(pairs):
        raise refuse("pair", number, f"a whole number less than {len(pairs)}")
    source, own = pairs[number]
    if isinstance(target, bool) or target is None:
        return source, own if target else None
    return source, _tokens("target", target)


def _tokens(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(token, str) for token in value):
        raise refuse(name, value, "a list of tokens")
    if len(value) > MAX_LENGTH:
        raise refuse(name, len(value), f"at most {MAX_LENGTH} tokens")
    return tuple(value)


register(Seq2SeqConfig.task, Seq2SeqTask())
