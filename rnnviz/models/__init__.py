"""The models that are trained. Importing this package registers each with `rnnviz.training.task`."""

from rnnviz.models.chars import Chars as Chars
from rnnviz.models.seq2seq import Seq2Seq as Seq2Seq
from rnnviz.models.seq2seq_task import Seq2SeqTask as Seq2SeqTask
from rnnviz.models.tagger import Tagger as Tagger
