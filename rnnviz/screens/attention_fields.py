"""The controls of the page *Attention*, one `Field` each."""

from __future__ import annotations

from rnnviz.data.pairs import MAX_LENGTH, TASKS
from rnnviz.data.pairs_text import UNITS
from rnnviz.gates import KINDS
from rnnviz.link import Field
from rnnviz.training.config import OPTIMISERS, Optimiser
from rnnviz.training.pairs_config import MAX_PAIRS, SCORES, Generated, Seq2SeqConfig

OWN, FILE = "own pairs", "file"
DATA = (*TASKS, OWN, FILE)
VIEWS = ("Step", "What if", "Beam", "Padding", "Length", "Model", "Curves", "Save")
SUMS = ("Energies", "Context")
UNTIL = ("epochs", "all right", "loss below", "never")
EPOCHS = 30
MAX_SOURCE = 600
MAX_TEXT = 6_000
MAX_EDITS_TEXT = 1_500
DEFAULT = Seq2SeqConfig()
DRAWN = Generated()
RULE: Optimiser = DEFAULT.optimiser
BIG = 2**31 - 1

FIELDS: tuple[Field, ...] = (
    Field(
        "a_task", "Pairs", DRAWN.task, "What is to be learnt, drawn from the seed, or your own.", options=DATA
    ),
    Field("a_symbols", "Symbols", DRAWN.symbols, "How many different ones.", 2, 60),
    Field("a_short", "Shortest", DRAWN.shortest, "The fewest tokens of a source.", 1, MAX_LENGTH),
    Field("a_long", "Longest", DRAWN.longest, "The most tokens of a source.", 1, MAX_LENGTH),
    Field("a_shift", "Shift by", DRAWN.shift, "How many places to the left.", 0, MAX_LENGTH),
    Field("a_train", "To train on", DRAWN.train, "How many pairs.", 1, MAX_PAIRS),
    Field("a_held", "Held out", DRAWN.held, "How many pairs are not trained on.", 0, 1000),
    Field(
        "a_pairs",
        "Your pairs",
        "",
        "A line a pair: source, tab (or =>), target. Paste two columns of a spreadsheet.",
        max_chars=MAX_TEXT,
    ),
    Field("a_unit", "A token is a", "character", "What the strings are cut into.", options=UNITS),
    Field("a_part", "Held out", 0.0, "The share of your pairs that is not trained on.", 0.0, 0.5),
    Field("a_vocab", "Vocabulary", 0, "Rows of both embeddings; 0: as many as there are symbols.", 0, 2000),
    Field("a_score", "Attention", DEFAULT.attention, "How state and source are compared.", options=SCORES),
    Field("a_heads", "Heads", DEFAULT.heads, "Of multihead: how many looks at once.", 1, 16),
    Field("a_enc", "Encoder", DEFAULT.encoder, "What reads the source.", options=KINDS),
    Field("a_dec", "Decoder", DEFAULT.decoder, "What writes the target.", options=KINDS),
    Field("a_emb", "Embedding size", DEFAULT.embedding, "How many numbers a token's vector has.", 1, 1024),
    Field("a_hidden", "hidden_size", DEFAULT.hidden, "H of the encoder, in each direction.", 1, 256),
    Field("a_dhid", "Decoder's size", DEFAULT.decoder_hidden, "H of the decoder.", 1, 512),
    Field("a_layers", "Encoder layers", DEFAULT.num_layers, "num_layers of the encoder.", 1, 4),
    Field("a_dlay", "Decoder layers", DEFAULT.decoder_layers, "num_layers of the decoder.", 1, 4),
    Field("a_bi", "bidirectional", DEFAULT.bidirectional, "The encoder reads from both ends."),
    Field("a_mask", "Mask", DEFAULT.mask, "Attention leaves padding out. Off: row E2."),
    Field("a_pack", "Packed", DEFAULT.packed, "The encoder does not read the padding."),
    Field("a_drop", "dropout", DEFAULT.dropout, "The share of numbers left out while training.", 0.0, 0.9),
    Field("a_teach", "Teacher forcing", DEFAULT.teacher, "How often the true token is fed.", 0.0, 1.0),
    Field("a_tend", "In the end", DEFAULT.teacher_end, "What the ratio becomes.", 0.0, 1.0),
    Field("a_tover", "Over epochs", DEFAULT.teacher_epochs, "0: it stays.", 0, 100_000),
    Field("a_trev", "Reversed", DEFAULT.teacher_reversed, "Row E1: feeds the prediction instead."),
    Field(
        "a_batch", "Pairs a step", DEFAULT.batch, "The batch that one step of the optimiser sees.", 1, 1024
    ),
    Field("a_shuffle", "Shuffle", DEFAULT.shuffle, "Another order of the pairs each epoch."),
    Field("a_opt", "Optimiser", RULE.name, "torch.optim's rule for a step.", options=OPTIMISERS),
    Field("a_lr", "Learning rate", RULE.lr, "How far a step goes. Change it any time.", 0.0, 1e6),
    Field("a_mom", "momentum", 0.0, "SGD and RMSprop: how much of the last step is kept.", 0.0, 0.99),
    Field("a_wd", "weight_decay", 0.0, "Pulls every weight towards 0.", 0.0, 1.0),
    Field("a_clip", "Clip", RULE.clip, "The largest norm of the gradient; 0: none.", 0.0, 100.0),
    Field("a_seed", "Seed", DEFAULT.seed, "Draws the pairs, the weights and the order.", 0, BIG),
    Field("a_device", "Device", "cpu", "Where the run is computed.", options=("cpu", "cuda")),
    Field("a_until", "Stop", "epochs", "What ends a run.", options=UNTIL),
    Field("a_epochs", "Epochs", EPOCHS, "How many epochs one press of Play does.", 1, 100_000),
    Field("a_loss", "Loss below", 0.05, "The run stops at the first epoch with a smaller loss.", 0.0, 1000.0),
    Field(
        "a_source",
        "Your source",
        "",
        "What the model is to read. Empty: the pair below, one it was not trained on where there are such.",
        max_chars=MAX_SOURCE,
    ),
    Field("a_pair", "Pair", 0, "The number of the pair that is read.", 0, MAX_PAIRS),
    Field(
        "a_feed", "Feed the true tokens", False, "Off: the model's own tokens are fed, as when it is used."
    ),
    Field("a_view", "View", VIEWS[0], "What to look at under the pictures.", options=VIEWS),
    Field("a_sums", "Sums", SUMS[0], "What is written out for this step.", options=SUMS),
    Field("a_head", "Head", 0, "Of several, the one whose products are written out.", 0, 15),
    Field("a_step", "Step", 0, "Which token is being said, counted from 0.", 0, 200),
    Field("a_place", "Source position", -1, "Which source position is framed; -1: none.", -1, 200),
    Field("a_edits", "What if", "", "One change a line.", max_chars=MAX_EDITS_TEXT),
    Field("a_temp", "Temperature", 1.0, "The logits are divided by it before the softmax.", 0.05, 10.0),
    Field("a_draw", "Draw tokens", False, "Off: the most likely token. On: one drawn from the softmax."),
    Field("a_dseed", "Draws' seed", 0, "Draws the tokens.", 0, BIG),
    Field("a_width", "Width", 3, "How many hypotheses stay at each step.", 1, 32),
    Field("a_alpha", "Length normalisation", 1.0, "log p is divided by length ** this; 0: not.", 0.0, 4.0),
    Field("a_node", "Hypothesis", 0, "Whose attention is shown; 0: the answer's.", 0, 100_000),
    Field("a_log", "log loss", False, "A logarithmic axis for the loss."),
)
BY_KEY = {f.key: f for f in FIELDS}
LOOKED = (
    *("a_source", "a_pair", "a_feed", "a_view", "a_sums", "a_head", "a_step", "a_place", "a_edits", "a_temp"),
    *("a_draw", "a_dseed", "a_width", "a_alpha", "a_node", "a_log"),
)
"""What is only looked at: a preset leaves most of it alone, and no training depends on it."""
