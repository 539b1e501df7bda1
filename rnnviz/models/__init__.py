"""The models that are trained. Importing this package registers each with `rnnviz.training.task`."""

from rnnviz.models.chars import Chars as Chars
from rnnviz.models.tagger import Tagger as Tagger
