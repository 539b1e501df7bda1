"""The first half of a training script: the imports, the data and the model. No torch is imported here."""

from __future__ import annotations

from typing import Any

from rnnviz.gates import Kind
from rnnviz.training.config import UNKNOWN, CharsConfig, TaggerConfig

_DEVICE = 'device = "cuda" if torch.cuda.is_available() else "cpu"'


def tagger_paragraphs(config: TaggerConfig) -> list[list[str]]:
    """Imports, sentences, ids and model of a tagger."""
    names = "pack_padded_sequence, pad_packed_sequence, pad_sequence"
    moved = ", device=device" if config.device != "cpu" else ""
    return [
        [
            "import torch",
            "from torch import nn",
            "from torch.nn.functional import log_softmax",
            *([f"from torch.nn.utils.rnn import {names}"] if config.batch > 1 else ()),
        ],
        _sentences(config),
        [
            "# The data: words and tags as their numbers",
            *([_DEVICE] if moved else ()),
            *_vocabulary(config),
            "word_ids = {word: i for i, word in enumerate(vocabulary)}",
            "data = [",
            "    (",
            f"        torch.tensor([word_ids[word] for word in words]{moved}),",
            f"        torch.tensor([tagset.index(tag) for tag in tags]{moved}),",
            "    )",
            "    for words, tags in sentences",
            "]",
        ],
        _tagger(config),
    ]


def _sentences(config: TaggerConfig) -> list[str]:
    how = {"keep": "", "first": ", the first word in lower case", "lower": ", all in lower case"}[config.case]
    rare = f"; words seen fewer than {config.unknown} times are {UNKNOWN}" if config.unknown > 1 else ""
    lines = [f"# The sentences: words and their tags{how}{rare}", "sentences = ["]
    for sentence in config.sentences:
        words = [config.vocabulary[i] for i in config.ids(word for word, _ in sentence)]
        lines.append(f"    ({_listed(words)}, {_listed([tag for _, tag in sentence])}),")
    return [*lines, "]"]


def _listed(texts: list[str]) -> str:
    joined = " ".join(texts)
    return f"{_quoted(joined)}.split()" if joined.split() == texts else repr(texts)


def _quoted(text: str) -> str:
    quoted = repr(text)
    return f'"{quoted[1:-1]}"' if quoted[0] == "'" and '"' not in quoted else quoted


def _vocabulary(config: TaggerConfig) -> list[str]:
    """How the lists come from the sentences, with what only held-out sentences add."""
    words = "dict.fromkeys(word for words, _ in sentences for word in words)"
    if UNKNOWN in config.vocabulary:
        first = f'vocabulary = [word for word in {words} if word != "{UNKNOWN}"] + ["{UNKNOWN}"]'
    else:
        first = f"vocabulary = list({words})"
    trained = {tag for sentence in config.sentences for _, tag in sentence}
    others = [tag for tag in config.tags if tag not in trained]
    more = f" + {others!r}  # those of held-out sentences" if others else ""
    return [first, f"tagset = list(dict.fromkeys(tag for _, tags in sentences for tag in tags)){more}"]


def _layer(kind: str, sizes: tuple[int, ...], options: dict[str, Any]) -> str:
    given = [f"{name}={value!r}" for name, value in options.items() if value]
    return f"nn.{kind}({', '.join([*map(str, sizes), *given])})"


def _tagger(config: TaggerConfig) -> list[str]:
    options = {
        "num_layers": config.num_layers if config.num_layers > 1 else 0,
        "dropout": config.dropout if config.num_layers > 1 else 0.0,
        "bidirectional": config.bidirectional,
    }
    layer = _layer(config.kind, (config.embedding, config.hidden), options)
    drop = ("self.dropout(", ")") if config.dropout else ("", "")
    size = f"{config.directions * config.hidden}"
    lines = [
        "# The model: word vectors, a recurrent layer, and a linear layer that scores the tags",
        "class Tagger(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.embedding = nn.Embedding(len(vocabulary), {config.embedding})",
        *([f"        self.dropout = nn.Dropout({config.dropout!r})"] if config.dropout else ()),
        f"        self.rnn = {layer}",
        f"        self.linear = nn.Linear({size}, len(tagset))",
        "",
    ]
    x = "self.embedding(words)".join(drop)
    scores = f"log_softmax(self.linear({'h'.join(drop)}), dim=-1)"
    if config.batch == 1:
        return [
            *lines,
            "    def forward(self, words):  # (L)",
            f"        x = {x}  # (L, {config.embedding})",
            f"        h, _ = self.rnn(x)  # (L, {size})",
            f"        return {scores}  # (L, tags)",
        ]
    return [
        *lines,
        "    def forward(self, words, lengths=None):  # (L, N), (N)",
        f"        h = {x}  # (L, N, {config.embedding})",
        "        if lengths is None:  # one sentence",
        "            h, _ = self.rnn(h)",
        "        else:",
        "            h, _ = self.rnn(pack_padded_sequence(h, lengths, enforce_sorted=False))",
        f"            h, _ = pad_packed_sequence(h)  # (L, N, {size})",
        f"        return {scores}  # (L, N, tags)",
    ]


def chars_paragraphs(config: CharsConfig) -> list[list[str]]:
    """Imports, the pair of strings and the model of *Characters*."""
    moved = config.device != "cpu"
    device = ", device=device" if moved else ""
    classes = len(config.characters)
    if not config.embedding:
        x = f"x = torch.eye({classes}{device})[source_ids].unsqueeze(1)  # (L, N, classes): one-hot"
    elif config.layer == "cell":
        x = f"x = torch.tensor(source_ids{device}).unsqueeze(1)  # (L, N)"
    else:
        x = f"x = torch.tensor(source_ids{device}).unsqueeze(0)  # (N, L)"
    return [
        ["import torch", "from torch import nn"],
        [
            "# The pair: each character of source shall give the one of target at its place",
            *([_DEVICE] if moved else ()),
            f"source, target = {_quoted(config.source)}, {_quoted(config.target)}",
            "characters = sorted({*source, *target})",
            "source_ids = [characters.index(c) for c in source]",
            x,
            f"y = torch.tensor([characters.index(c) for c in target]{device})  # (L)",
        ],
        _chars(config),
    ]


def _chars(config: CharsConfig) -> list[str]:
    classes = len(config.characters)
    inputs = config.embedding or classes
    if config.layer == "cell":
        layer = f"nn.{config.kind}Cell({inputs}, {config.hidden})"
    else:
        options = {
            "num_layers": config.num_layers if config.num_layers > 1 else 0,
            "batch_first": bool(config.embedding),
        }
        layer = _layer(config.kind, (inputs, config.hidden), options)
    title = "a linear layer scores h" if config.readout else "its h is itself the score"
    return [
        f"# The model: {title}",
        "class Chars(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        *([f"        self.embedding = nn.Embedding({classes}, {inputs})"] if config.embedding else ()),
        f"        self.rnn = {layer}",
        *([f"        self.linear = nn.Linear({config.hidden}, {classes})"] if config.readout else ()),
        "",
        "    def forward(self, x):",
        *(["        x = self.embedding(x)"] if config.embedding else ()),
        *(_cell_loop(config.kind) if config.layer == "cell" else ["        h, _ = self.rnn(x)"]),
        f"        return {'self.linear(h)' if config.readout else 'h'}",
    ]


def _cell_loop(kind: Kind) -> list[str]:
    state = "state[0]" if kind == "LSTM" else "state"
    return [
        "        state, hidden = None, []",
        "        for x_t in x:  # one step",
        "            state = self.rnn(x_t, state)",
        f"            hidden.append({state})",
        "        h = torch.stack(hidden)  # (L, N, H)",
    ]
