"""`python -m tests.bench.trace`: what a trace costs, as ratios measured in one run on one core.

fused   how many times longer than the module's own forward (reach: at most 3 for L >= 200 where N*H <= 4096)
loop    how many times longer a step loop takes that records the same gates (reach: more than 1 for L >= 16)

The exit code is 1 when a reach is missed. With CUDA it gets its own table; the reach binds one core.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear

from rnnviz import LayerConfig, build, trace
from rnnviz.gates import KINDS, Kind

FUSED_REACH, FUSED_FROM, LOOP_FROM = 3.0, 200, 16
SIZES = [  # L, N, H_in, H, with N * H <= 4096
    (16, 1, 16, 64),
    (16, 8, 8, 32),
    (64, 1, 16, 64),
    (64, 16, 16, 64),
    (200, 1, 16, 16),
    (200, 1, 16, 64),
    (200, 16, 16, 64),
    (200, 64, 32, 64),
    (512, 4, 64, 256),
    (1000, 1, 64, 128),
]
STACKS = [(1, False), (2, False), (1, True), (2, True)]

Arrays = dict[tuple[str, int, int], NDArray[Any]]


@dataclass(frozen=True)
class Row:
    label: str
    steps: int
    fused_ms: float
    trace_ms: float
    loop_ms: float

    @property
    def fused_ratio(self) -> float:
        return self.trace_ms / self.fused_ms

    @property
    def loop_ratio(self) -> float:
        return self.loop_ms / self.trace_ms

    @property
    def misses(self) -> bool:
        too_slow = self.steps >= FUSED_FROM and self.fused_ratio > FUSED_REACH
        return too_slow or (self.steps >= LOOP_FROM and self.loop_ratio <= 1)


def rnn_step(x: Tensor, h: Tensor, c: Tensor, w: Sequence[Tensor]) -> dict[str, Tensor]:
    h_pre = linear(x, w[0], w[2]) + linear(h, w[1], w[3])
    return {"h_pre": h_pre, "h": torch.tanh(h_pre)}


def lstm_step(x: Tensor, h: Tensor, c: Tensor, w: Sequence[Tensor]) -> dict[str, Tensor]:
    i_pre, f_pre, g_pre, o_pre = (linear(x, w[0], w[2]) + linear(h, w[1], w[3])).chunk(4, -1)
    i, f, g, o = torch.sigmoid(i_pre), torch.sigmoid(f_pre), torch.tanh(g_pre), torch.sigmoid(o_pre)
    c = f * c + i * g
    pre = {"i_pre": i_pre, "f_pre": f_pre, "g_pre": g_pre, "o_pre": o_pre}
    return pre | {"i": i, "f": f, "g": g, "o": o, "c": c, "h": o * torch.tanh(c)}


def gru_step(x: Tensor, h: Tensor, c: Tensor, w: Sequence[Tensor]) -> dict[str, Tensor]:
    r_in, z_in, n_in = linear(x, w[0], w[2]).chunk(3, -1)
    r_hid, z_hid, n_hid = linear(h, w[1], w[3]).chunk(3, -1)
    r_pre, z_pre = r_in + r_hid, z_in + z_hid
    r, z = torch.sigmoid(r_pre), torch.sigmoid(z_pre)
    n_pre = n_in + r * n_hid
    n = torch.tanh(n_pre)
    return {"r_pre": r_pre, "z_pre": z_pre, "n_pre": n_pre, "r": r, "z": z, "n": n, "h": (1 - z) * n + z * h}


STEPS = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}


@torch.no_grad()
def step_loop(kind: str, module: nn.RNNBase, x: Tensor) -> Arrays:
    """The plain way to the same arrays: one cell a step, every quantity kept and stacked."""
    step = STEPS[kind]
    arrays: Arrays = {}
    for layer in range(module.num_layers):
        hidden = []
        for direction in range(2 if module.bidirectional else 1):
            weights = list(module.all_weights[layer * (2 if module.bidirectional else 1) + direction])
            h = c = x.new_zeros(x.shape[1], module.hidden_size)
            steps = []
            for x_t in x.flip(0) if direction else x:
                found = step(x_t, h, c, weights)
                h, c = found["h"], found.get("c", c)
                steps.append(found)
            if direction:
                steps.reverse()
            stacked = {name: torch.stack([found[name] for found in steps]) for name in steps[0]}
            stacked["x"] = x
            hidden.append(stacked["h"])
            arrays |= {(name, layer, direction): value.cpu().numpy() for name, value in stacked.items()}
        x = torch.cat(hidden, -1)
    return arrays


@torch.no_grad()
def fused(module: nn.RNNBase, x: Tensor) -> Any:
    return module(x)


def elapsed(work: Callable[[], Any], device: str) -> float:
    """Milliseconds: of this thread on the CPU, so that a busy machine does not count; else of the clock."""
    now = time.thread_time if device == "cpu" else time.perf_counter
    start = now()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return 1000 * (now() - start)


def medians(works: Sequence[Callable[[], Any]], device: str, seconds: float) -> list[float]:
    """Median milliseconds of each, interleaved so that a disturbance meets them all."""
    for work in works:
        elapsed(work, device)
    times: list[list[float]] = [[] for _ in works]
    end = time.perf_counter() + seconds
    while len(times[0]) < 5 or time.perf_counter() < end:
        for found, work in zip(times, works, strict=True):
            found.append(elapsed(work, device))
    return [statistics.median(found) for found in times]


def check(kind: str, module: nn.RNNBase, x: Tensor) -> None:
    """Both ways must give the same arrays, or the ratio compares different work."""
    result = trace(module, x)
    for (name, layer, direction), value in step_loop(kind, module, x).items():
        np.testing.assert_allclose(result.sel(name, layer, direction), value, rtol=0, atol=1e-4, err_msg=name)


def measure(config: LayerConfig, size: tuple[int, int, int, int], device: str, seconds: float) -> Row:
    steps, batch, inputs, hidden = size
    module = build(config, device=device)
    x = torch.randn(steps, batch, inputs, generator=torch.Generator().manual_seed(0)).to(device)
    check(config.kind, module, x)
    works = [
        lambda: fused(module, x),
        lambda: trace(module, x),
        lambda: step_loop(config.kind, module, x),
    ]
    stack = f"{config.num_layers} x {2 if config.bidirectional else 1}"
    label = f"{config.kind:5}{stack:7}{steps:5}{batch:5}{inputs:5}{hidden:5}"
    return Row(label, steps, *medians(works, device, seconds))


def table(device: str, kinds: Sequence[Kind], seconds: float) -> list[Row]:
    print(f"\n{device}: layers x directions, then L N H_in H; milliseconds; ratios")
    head = f"{'kind':5}{'stack':7}{'L':>5}{'N':>5}{'H_in':>5}{'H':>5}"
    print(f"{head}{'fused':>9}{'trace':>9}{'loop':>9}{'trace/fused':>14}{'loop/trace':>12}")
    rows = []
    for kind, size, (layers, bidirectional) in product(kinds, SIZES, STACKS):
        config = LayerConfig(kind, size[2], size[3], num_layers=layers, bidirectional=bidirectional)
        row = measure(config, size, device, seconds)
        rows.append(row)
        times = f"{row.fused_ms:9.2f}{row.trace_ms:9.2f}{row.loop_ms:9.2f}"
        ratios = f"{row.fused_ratio:14.2f}{row.loop_ratio:12.1f}"
        print(f"{row.label}{times}{ratios}{'  MISS' if row.misses else ''}", flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--seconds", type=float, default=0.4, help="for each row, at least")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # a trace never uses it, so the fused run must not either
    rows = table("cpu", options.kinds, options.seconds)
    if torch.cuda.is_available():
        table("cuda", options.kinds, options.seconds)

    long = [row.fused_ratio for row in rows if row.steps >= FUSED_FROM]
    worst, median, fastest = max(long), statistics.median(long), min(row.loop_ratio for row in rows)
    missed = [row.label for row in rows if row.misses]
    print("\none core")
    print(f"trace/fused, L >= {FUSED_FROM}: worst {worst:.2f}, median {median:.2f} (reach {FUSED_REACH:.0f})")
    print(f"loop/trace, L >= {LOOP_FROM}: worst {fastest:.2f} (reach above 1)")
    print(f"{len(missed)} of {len(rows)} rows miss", *missed, sep="\n  ")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
