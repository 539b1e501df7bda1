"""The model of an encoder-decoder's script: as a person writes it for this one configuration."""

from __future__ import annotations

from typing import Any

from rnnviz.training.config import Seq2SeqConfig


def model_paragraphs(config: Seq2SeqConfig) -> list[list[str]]:
    """The encoder, the attention if there is one, the decoder, and the two together."""
    return [
        _encoder(config),
        *([_attention(config)] if config.context else ()),
        _decoder(config),
        _both(config),
    ]


def _layer(kind: str, sizes: tuple[int, int], options: dict[str, Any]) -> str:
    given = [f"{name}={value!r}" for name, value in options.items() if value]
    return f"nn.{kind}({', '.join([*map(str, sizes), *given])})"


def _encoder(config: Seq2SeqConfig) -> list[str]:
    layer = _layer(
        config.encoder,
        (config.embedding, config.hidden),
        {
            "num_layers": config.num_layers if config.num_layers > 1 else 0,
            "batch_first": True,
            "dropout": config.dropout if config.num_layers > 1 else 0.0,
            "bidirectional": config.bidirectional,
        },
    )
    last = "(h_n, _)" if config.encoder == "LSTM" else "h_n"
    width, directions = config.width, config.directions
    if config.packed:
        run = [
            "        x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)",
            f"        h, {last} = self.rnn(x)",
            f"        h, _ = pad_packed_sequence(h, batch_first=True)  # (N, L, {width})",
        ]
    else:
        run = [f"        h, {last} = self.rnn(x)  # (N, L, {width})"]
    return [
        "# The encoder: its outputs, and the decoder's first state from the top layer's last states",
        "class Encoder(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.embedding = nn.Embedding({_rows(config, 'source')}, {config.embedding})",
        *_dropout(config),
        f"        self.rnn = {layer}",
        f"        self.join = nn.Linear({width}, {config.decoder_hidden})",
        "",
        "    def forward(self, source, lengths):  # (N, L), (N)",
        f"        x = {_dropped(config, 'self.embedding(source)')}  # (N, L, {config.embedding})",
        *run,
        f"        s = torch.tanh(self.join(torch.cat([*h_n[-{directions}:]], dim=-1)))",
        f"        return h, s  # s: (N, {config.decoder_hidden})",
    ]


def _rows(config: Seq2SeqConfig, side: str) -> str:
    return str(config.vocabulary) if config.vocabulary else f"len({side}_symbols)"


def _dropout(config: Seq2SeqConfig) -> list[str]:
    return [f"        self.dropout = nn.Dropout({config.dropout!r})"] if config.dropout else []


def _dropped(config: Seq2SeqConfig, text: str, of: str = "self") -> str:
    return f"{of}.dropout({text})" if config.dropout else text


def _attention(config: Seq2SeqConfig) -> list[str]:
    made, keys, energies = {
        "additive": _additive,
        "dot": _dot,
        "scaled_dot": _dot,
        "general": _general,
        "multihead": _multihead,
    }[config.attention](config)
    several = config.attention == "multihead"
    sees = "(N, heads, L)" if several else "(N, L)"
    mask = "mask.unsqueeze(1)" if several else "mask"
    context = "self.out((a.unsqueeze(-2) @ h).flatten(1))" if several else "(a.unsqueeze(1) @ h).squeeze(1)"
    return [
        "# The attention: how well the state s fits each of the encoder's outputs h",
        "class Attention(nn.Module):",
        *(["    def __init__(self):", "        super().__init__()", *made, ""] if made else ()),
        *keys,
        f"    def forward(self, s, h, keys{', mask' if config.mask else ''}):",
        *energies,
        *(
            [f"        e = e.masked_fill(~{mask}, -torch.inf)  # padding gets no weight"]
            if config.mask
            else ()
        ),
        f"        a = torch.softmax(e, dim=-1)  # {sees}",
        f"        return {context}, a  # the context (N, {config.context}) and the weights",
    ]


_Parts = tuple[list[str], list[str], list[str]]
"""What the constructor makes, the methods for what is made once a sentence, the energies e."""


def _additive(config: Seq2SeqConfig) -> _Parts:
    state, width = config.decoder_hidden, config.width
    split = f"self.W.weight.split(({state}, {width}), dim=1)"
    return (
        [
            f"        self.W = nn.Linear({state} + {width}, {state})",
            f"        self.v = nn.Linear({state}, 1, bias=False)",
        ],
        [
            "    def prepare(self, h):  # the half of W for h, applied once",
            f"        W_h = {split}[1]",
            "        return h, linear(h, W_h, self.W.bias)",
            "",
        ],
        [
            f"        W_s = {split}[0]",
            "        u = torch.tanh(linear(s, W_s).unsqueeze(1) + keys)  # tanh(W [s; h])",
            "        e = self.v(u).squeeze(-1)",
        ],
    )


def _dot(config: Seq2SeqConfig) -> _Parts:
    scaled = f" / {config.decoder_hidden} ** 0.5" if config.attention == "scaled_dot" else ""
    return (
        [],
        ["    def prepare(self, h):", "        return h, h", ""],
        [f"        e = (keys @ s.unsqueeze(-1)).squeeze(-1){scaled}  # s · h"],
    )


def _general(config: Seq2SeqConfig) -> _Parts:
    return (
        [f"        self.W = nn.Linear({config.width}, {config.decoder_hidden}, bias=False)"],
        ["    def prepare(self, h):", "        return h, self.W(h)", ""],
        ["        e = (keys @ s.unsqueeze(-1)).squeeze(-1)  # s · W h"],
    )


def _multihead(config: Seq2SeqConfig) -> _Parts:
    width, heads = config.width, config.heads
    return (
        [
            f"        self.query = nn.Linear({config.decoder_hidden}, {width})",
            f"        self.key = nn.Linear({width}, {width})",
            f"        self.value = nn.Linear({width}, {width})",
            f"        self.out = nn.Linear({width}, {width})",
        ],
        [
            "    def split(self, x):  # (N, heads, L, units of one head)",
            f"        return x.unflatten(-1, ({heads}, -1)).transpose(-3, -2)",
            "",
            "    def prepare(self, h):",
            "        return self.split(self.value(h)), self.split(self.key(h))",
            "",
        ],
        [
            f"        q = self.query(s).unflatten(-1, ({heads}, -1))",
            f"        e = (keys @ q.unsqueeze(-1)).squeeze(-1) / {width // heads} ** 0.5",
        ],
    )


def _decoder(config: Seq2SeqConfig) -> list[str]:
    context, embedding, state = config.context, config.embedding, config.decoder_hidden
    layer = _layer(
        config.decoder,
        (context + embedding, state),
        {
            "num_layers": config.decoder_layers if config.decoder_layers > 1 else 0,
            "batch_first": True,
            "dropout": config.dropout if config.decoder_layers > 1 else 0.0,
        },
    )
    top = "state[0][-1]" if config.decoder == "LSTM" else "state[-1]"
    attend = [
        f"        context, _ = self.attention({top}, *memory)",
        f"        x = torch.cat([context, e], dim=-1)  # (N, {context} + {embedding})",
        "        s, state = self.rnn(x.unsqueeze(1), state)",
        "        return torch.cat([s.squeeze(1), x], dim=-1), state",
    ]
    plain = [
        "        s, state = self.rnn(e.unsqueeze(1), state)",
        "        return torch.cat([s.squeeze(1), e], dim=-1), state",
    ]
    return [
        "# The decoder: one step from the token before, its state and what attention brings",
        "class Decoder(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.embedding = nn.Embedding({_rows(config, 'target')}, {embedding})",
        *_dropout(config),
        *(["        self.attention = Attention()"] if context else ()),
        f"        self.rnn = {layer}",
        f"        self.out = nn.Linear({state + context + embedding}, {_rows(config, 'target')})",
        "",
        f"    def step(self, e, state{', memory' if context else ''}):  # e: (N, {embedding})",
        *(attend if context else plain),
    ]


def _both(config: Seq2SeqConfig) -> list[str]:
    layers = config.decoder_layers
    start = f"s.expand({layers}, *s.shape).contiguous()  # every layer of the decoder begins with s"
    memory = ", memory" if config.context else ""
    made = ["        memory = self.decoder.attention.prepare(h)"] if config.context else []
    if config.context and config.mask:
        made = ["        memory = (*self.decoder.attention.prepare(h), source != PAD)"]
    names = "state, memory" if config.context else "state"
    reading = f"        decoder, ({names}) = self.decoder, self.read(source, lengths)".replace(
        "(state)", "state"
    )
    dropped = _dropped(config, "decoder.embedding(inputs)", "decoder")
    own = _dropped(config, "decoder.embedding(own)", "decoder")
    fused = [
        "        if all(teacher[1:]):  # nothing waits for the step before: one call",
        "            s, _ = decoder.rnn(e, state)",
        "            return decoder.out(torch.cat([s, e], dim=-1))",
    ]
    return [
        "# Both: the logits of a target's tokens, and the greedy way without a target",
        "class Seq2Seq(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        "        self.encoder, self.decoder = Encoder(), Decoder()",
        "",
        "    def read(self, source, lengths):",
        "        h, s = self.encoder(source, lengths)",
        *made,
        f"        state = {start}",
        *(["        state = (state, torch.zeros_like(state))"] if config.decoder == "LSTM" else ()),
        f"        return state{memory}",
        "",
        "    def forward(self, source, lengths, inputs, teacher):",
        reading,
        f"        e = {dropped}  # (N, T, {config.embedding})",
        *([] if config.context else fused),
        "        features = []",
        "        for t in range(inputs.shape[1]):",
        "            e_t = e[:, t]",
        "            if t and not teacher[t]:  # the model's own token",
        "                own = decoder.out(features[-1].detach()).argmax(-1)",
        f"                e_t = {own}",
        f"            feature, state = decoder.step(e_t, state{memory})",
        "            features.append(feature)",
        "        return decoder.out(torch.stack(features, dim=1))  # (N, T, V)",
        "",
        "    @torch.no_grad()",
        "    def greedy(self, source, lengths, limit):",
        reading,
        "        token, said = torch.tensor([START], device=source.device), []",
        "        while len(said) < limit and END not in said:",
        f"            feature, state = decoder.step(decoder.embedding(token), state{memory})",
        "            token = decoder.out(feature).argmax(-1)",
        "            said.append(token.item())",
        "        return said",
    ]
