"""CoNLL-U as it is found in the field."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.data.checks import MAX_SIZE
from rnnviz.data.conllu import COLUMNS, Column, read, write
from rnnviz.data.samples import SAMPLES
from rnnviz.data.tagged import format_text
from rnnviz.training.config import Sentence
from tests.unit.test_data_tagged import sentences


def line(key: str, form: str, upos: str = "X", xpos: str = "Y") -> str:
    return "\t".join([key, form, "_", upos, xpos, *["_"] * 5])


FILE = "\n".join(
    [
        "# newdoc",
        "# sent_id = 1",
        line("1-2", "au", "_", "_"),
        line("1", "à", "ADP", "IN"),
        line("2", "le", "DET", "DT"),
        line("2.1", "elided", "VERB", "VB"),
        line("3", "10 000", "NUM", "CD"),
        "",
        "# sent_id = 2",
        line("0.1", "elided", "VERB", "VB"),
        line("1", "_", "SYM", "SYM"),
        "",
        "",
    ]
)
WORDS: tuple[Sentence, ...] = (
    (("à", "ADP"), ("le", "DET"), ("10 000", "NUM")),
    (("_", "SYM"),),
)


def test_comments_multiword_tokens_and_empty_nodes() -> None:
    found = read(FILE.encode())
    assert found.sentences == WORDS
    assert (found.multiword, found.empty) == (1, 2)
    assert found.told() == (
        "2 sentences, 4 words, 4 tags; 1 multiword token read as the words in it, 2 empty nodes left out."
    )


def test_the_column_of_tags_is_chosen() -> None:
    assert format_text(read(FILE, "XPOS").sentences) == "à/IN le/DT 10\\s000/CD\n_/SYM"


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        "\ufeff" + FILE,
        FILE.replace("\n", "\r\n"),
        FILE.replace("\n", "\r"),
        FILE.rstrip("\n"),
        "\n\n" + FILE.replace("\n\n", "\n  \n\n"),
    ],
)
def test_marks_line_endings_and_missing_ends_do_not_matter(text: str) -> None:
    assert read(text.encode()).sentences == WORDS
    assert read(io.BytesIO(text.encode())).sentences == WORDS


def test_joined_files_keep_their_marks() -> None:
    assert read(("\ufeff" + FILE + "\ufeff" + FILE).encode()).sentences == WORDS + WORDS


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_line_feed_and_carriage_return_end_a_line(mark: str) -> None:
    # `str.splitlines` would cut these forms in two, and the line with them.
    assert read(line("1", f"a{mark}b")).sentences == ((("a b", "X"),),)


@given(sentences, st.sampled_from(list(COLUMNS)))
def test_sentences_written_out_are_read_back(given_sentences: tuple[Sentence, ...], column: Column) -> None:
    marked = tuple(tuple((word, tag.replace("_", "-")) for word, tag in s) for s in given_sentences)
    written = write(marked, column)
    assert read(written, column).sentences == marked
    assert read(written.encode(), column).sentences == marked


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "there are no words yet"),
        (["# only a comment"], "there are no words yet"),
        ([line("1", "a"), "2\tb"], "line 2 has 2 columns: CoNLL-U has 10, with a tab between them$"),
        ([line("1", "a").replace("\t", " ")], "line 1 has 1 column: .*the tabs seem to have become spaces"),
        ([line("1", "a"), line("1", "b")], r"line 2: the id is 1 where 2 comes next \(an empty line ends"),
        ([line("1", "a"), line("3", "b")], "line 2: the id is 3 where 2 comes next$"),
        ([line("x", "a")], "line 1: the id “x” is none: 1, 2, 3 … for words"),
        ([line("0", "a")], "line 1: the id “0” is none"),
        ([line("١", "a")], "line 1: the id “١” is none"),
        ([line("2-1", "a")], "line 1: the multiword token 2-1 must stand before its first word"),
        ([line("1", "a"), line("1-2", "b")], "line 2: the multiword token 1-2 must .* would be 2"),
        ([line("1", "dog", "_")], "line 1: “dog” has no UPOS tag: add it, or choose XPOS"),
        ([line("1", "dog", "")], "line 1: “dog” has no UPOS tag"),
        ([line("1", " ")], "line 1: the word is missing before the tag “X”"),
        ([line("1", "w" * 61)], "line 1: the word “wwwwwwwwwwwwwwwwwwww…” has 61 characters"),
    ],
)
def test_a_fault_is_named_with_its_line(lines: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read("\n".join(lines).encode())


def test_a_file_without_the_chosen_tags_says_which_to_choose() -> None:
    with pytest.raises(ValueError, match="line 2: “a” has no XPOS tag: add it, or choose UPOS"):
        read("# c\n" + line("1", "a", "X", "_"), "XPOS")
    with pytest.raises(ValueError, match="column='POS' is not allowed: UPOS or XPOS"):
        read(FILE, "POS")  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named(encoding: str) -> None:
    with pytest.raises(ValueError, match=r"not UTF-8 text \(UTF-16"):
        read(FILE.encode(encoding))


def test_another_encoding_is_named_with_the_line() -> None:
    with pytest.raises(ValueError, match="line 4: the byte 0xE0 is not UTF-8; the file may be in Latin-1"):
        read(FILE.encode("latin-1"))


class Endless(io.RawIOBase):
    """A file without end that counts what is taken from it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0
        self.taken += size
        return b"#" * size


def test_no_more_is_read_than_allowed() -> None:
    file = Endless()
    with pytest.raises(ValueError, match="the file is larger than 4 MB"):
        read(file)  # type: ignore[arg-type]
    assert file.taken == MAX_SIZE + 1
    with pytest.raises(ValueError, match="the file is larger than 4 MB"):
        read(b"#" * (MAX_SIZE + 1))
    with pytest.raises(ValueError, match="line 40001: more than 20,000 words"):
        read((line("1", "a") + "\n\n") * 20_001)


piece = st.sampled_from(
    [b"\t", b"\n", b"\n\n", b"\r", b"1", b"2", b"1-2", b"1.1", b"_", b"#", b"a", line("1", "a").encode()]
)


@given(st.binary() | st.lists(piece | st.binary(max_size=3)).map(b"".join))
def test_any_bytes_give_sentences_or_say_why_not(data: bytes) -> None:
    try:
        found = read(data)
    except ValueError as error:
        assert len(str(error)) > 20
    else:
        assert read(write(found.sentences)).sentences == found.sentences


# ---- the sample


def test_the_sample_shows_what_the_format_can_hold() -> None:
    found = SAMPLES["tiny"].reading()
    assert found.told() == (
        "12 sentences, 75 words, 13 tags; 1 multiword token read as the words in it, 1 empty node left out."
    )
    assert found.sentences[3][1:3] == (("do", "AUX"), ("n't", "PART"))
    assert [word for word, _ in found.sentences[5]] == ["Anna", "drinks", "tea", "and", "Ben", "coffee", "."]
    assert len({tag for s in SAMPLES["tiny"].reading("XPOS").sentences for _, tag in s}) == 19


@pytest.mark.parametrize("word", ["book", "run", "can", "light", "open"])
def test_the_sample_has_words_with_two_tags(word: str) -> None:
    pairs = {(w.lower(), tag) for s in SAMPLES["tiny"].reading().sentences for w, tag in s}
    assert len({tag for w, tag in pairs if w == word}) == 2


def test_the_sample_is_true_to_its_own_text() -> None:
    content = SAMPLES["tiny"].content().decode()
    for block in content.strip().split("\n\n"):
        text = next(row for row in block.split("\n") if row.startswith("# text = ")).removeprefix("# text = ")
        surface, until = "", 0
        for cells in (row.split("\t") for row in block.split("\n") if not row.startswith("#")):
            first, _, last = cells[0].partition("-")
            if "." in cells[0] or (not last and int(first) <= until):
                continue
            until = int(last) if last else until
            surface += cells[1] + ("" if "SpaceAfter=No" in cells[9] else " ")
        assert surface.strip() == text
