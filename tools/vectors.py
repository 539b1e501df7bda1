"""Makes assets/samples/vectors.txt: word vectors counted from a small text. `python -m tools.vectors`

The text is written here, as sentence patterns whose slots are filled from lists of words. Which words stand
near each other is counted, the counts become positive pointwise mutual information, and a singular value
decomposition keeps its strongest directions: Levy and Goldberg, "Neural Word Embedding as Implicit Matrix
Factorization" (2014). Nothing is random.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path
from string import Formatter

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).resolve().parents[1] / "assets" / "samples" / "vectors.txt"
DIM, WINDOW, DIGITS = 40, 3, 4

SLOTS: dict[str, tuple[str, ...]] = {
    "pet": ("cat", "dog", "kitten", "puppy"),
    "farm": ("horse", "cow", "sheep", "pig"),
    "wild": ("lion", "tiger", "wolf", "bear"),
    "bird": ("bird", "duck", "owl"),
    "drink": ("milk", "water", "tea", "coffee", "juice"),
    "meal": ("bread", "soup", "rice", "cheese"),
    "fruit": ("apple", "pear", "orange", "plum"),
    "he": ("man", "boy", "father", "son", "uncle", "king", "prince"),
    "she": ("woman", "girl", "mother", "daughter", "aunt", "queen", "princess"),
    "child": ("boy", "girl", "son", "daughter"),
    "parent": ("father", "mother", "uncle", "aunt"),
    "royal": ("king", "queen", "prince", "princess"),
    "royal_he": ("king", "prince"),
    "royal_she": ("queen", "princess"),
    "colour": ("red", "blue", "green", "yellow", "white", "black"),
    "day": ("monday", "tuesday", "friday", "sunday"),
    "season": ("spring", "summer", "autumn", "winter"),
    "city": ("paris", "london", "rome", "berlin"),
    "land": ("france", "england", "italy", "germany"),
    "tool": ("hammer", "saw", "knife"),
    "ride": ("car", "bus", "train", "bicycle"),
    "number": ("two", "three", "four", "five"),
    "sound": ("song", "music", "drum", "guitar"),
}

PATTERNS = """
the {pet} sleeps on the mat
the {pet} drinks milk in the kitchen
the {pet} plays with a ball in the house
a {pet} is a small animal
the {pet} chases the {bird}
the {child} feeds the {pet}
the {farm} eats grass in the field
a {farm} lives on the farm
the farmer feeds the {farm} and the {farm}
the {wild} hunts in the forest
a {wild} is a wild animal
the hungry {wild} hunts a {farm}
the {bird} flies over the trees
the {bird} sings in the tree
the {parent} drinks hot {drink} in the morning
the {child} drinks a cup of {drink}
a glass of {drink} is on the table
the {parent} cooks {meal} for dinner
we eat {meal} with {meal} for dinner
the {child} eats {meal} at the table
the {child} eats a ripe {fruit}
a {fruit} grows on the tree
she bakes a cake with {fruit} and {fruit}
the {he} lost his hat
the {he} said that he likes his {pet}
he is a good {he}
the {he} shaves his beard
the {she} lost her hat
the {she} said that she likes her {pet}
she is a good {she}
the {she} brushes her long hair
the {child} goes to school with a book
the {child} plays in the garden
the {parent} goes to work by {ride}
the {royal} wears a crown in the castle
the {royal} rules the land from the throne
the {royal_he} puts the crown on his head
the {royal_she} puts the crown on her head
the {child} paints the wall {colour}
a {colour} flower grows in the garden
the {colour} {ride} stops at the light
the {she} wears a {colour} dress
the {he} wears a {colour} coat
school begins on {day} morning
we meet again on {day} evening
the shop is closed on {day}
in {season} the weather changes
last {season} was long and warm
the days of {season} are over
we travel to {city} by {ride}
the {ride} to {city} leaves the station
{city} is a big city with many people
people in {land} speak their language
{land} is a country in europe
we travel through {land} in {season}
the {he} works with a {tool}
a {tool} lies in the box of tools
the {ride} drives along the road
{number} and {number} are numbers
there are {number} {farm} in the field
the {child} counts {number} {fruit}
she plays the {sound} in the evening
he listens to the {sound} with his friends
the people of paris speak french
people in france speak french
the people of london speak english
people in england speak english
the people of rome speak italian
people in italy speak italian
the people of berlin speak german
people in germany speak german
paris is a capital in europe
london is a capital in europe
the cat catches a mouse
the kitten catches a mouse
the cat purrs
the kitten purrs
the dog barks at the cat
the puppy barks at the cat
the dog guards the house
a kitten is a young cat
a puppy is a young dog
the old king rules the land
the old queen rules the land
the young prince is the son of the king
the young princess is the daughter of the queen
the boy is young
the girl is young
the father of the boy is old
the mother of the girl is old
the lion roars
the tiger roars
the wolf howls at the moon
the dog howls at the moon
the horse pulls the cart
the cow gives milk
we make cheese from milk
we make juice from the apple
we make juice from the orange
tea and coffee are hot
juice and milk are cold
fish swim in the water
the grass is green
the sky is blue
milk is white
the night is black
snow is white and falls in winter
the summer is hot
the winter is cold
leaves fall in autumn
flowers grow in spring
a knife cuts the bread
a saw cuts the wood
the sun shines on sunday
the week begins on monday
the guitar and the drum make music
he sings a song
she sings a song
"""


def corpus() -> list[list[str]]:
    """Every sentence: each pattern with every way to fill its slots."""
    sentences = []
    for pattern in PATTERNS.strip().splitlines():
        names = [name for _, name, _, _ in Formatter().parse(pattern) if name]
        plain = Formatter().parse(pattern)
        texts = [(text, name) for text, name, _, _ in plain]
        for choice in product(*(SLOTS[name] for name in names)):
            if len(set(choice)) < len(choice):
                continue  # "two and two"
            words = iter(choice)
            sentences.append("".join(text + (next(words) if name else "") for text, name in texts).split())
    return sentences


def vectors(sentences: list[list[str]]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The words, most frequent first, and a unit vector (DIM) for each."""
    weights: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    share: Counter[str] = Counter(word for sentence in sentences for word in sentence)
    words = tuple(sorted(share, key=lambda word: (-share[word], word)))
    for sentence in sentences:
        for i, word in enumerate(sentence):
            for j in range(max(0, i - WINDOW), i):
                together[word, sentence[j]] += 1
                together[sentence[j], word] += 1
                weights[word] += 1
                weights[sentence[j]] += 1
    place = {word: i for i, word in enumerate(words)}
    counts = np.zeros((len(words), len(words)))
    for (a, b), number in together.items():
        counts[place[a], place[b]] = number
    single = np.array([weights[word] for word in words]) ** 0.75  # softens what is merely frequent
    total = counts.sum(1, keepdims=True)
    with np.errstate(divide="ignore"):
        information = np.log(counts / total / (single / single.sum()))
    left, size, _ = np.linalg.svd(np.maximum(information, 0))
    found = left[:, :DIM] * np.sqrt(size[:DIM])
    found *= np.where(found.sum(0) < 0, -1, 1)  # a singular vector has no sign of its own
    return words, found / np.linalg.norm(found, axis=1, keepdims=True)


def text(words: tuple[str, ...], found: NDArray[np.float64]) -> str:
    """word2vec's text format: a line with the number of words and of dimensions, then a word a line."""
    lines = [f"{len(words)} {found.shape[1]}"]
    for word, vector in zip(words, found, strict=True):
        lines.append(" ".join([word, *(f"{value + 0.0:.{DIGITS}f}" for value in vector)]))
    return "\n".join(lines) + "\n"


def main() -> None:
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text(*vectors(corpus())), encoding="utf-8")


if __name__ == "__main__":
    main()
