"""Words, sentences and languages of a text: pure functions, offsets always into the original string."""

from agentkit.text.detection import language
from agentkit.text.rarity import rarity
from agentkit.text.segmentation import sentences
from agentkit.text.spans import Span, Word
from agentkit.text.stems import number_key, stem
from agentkit.text.tokens import words

__all__ = ["Span", "Word", "language", "number_key", "rarity", "sentences", "stem", "words"]
