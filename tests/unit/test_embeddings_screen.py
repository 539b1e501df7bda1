"""What is typed on *Embeddings*: read, limited, corrected aloud, changed by clicks; presets; sentences."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.embeddings.clicks import with_row, with_start
from rnnviz.embeddings.inputs import MAX_BAGS, MAX_ITEMS
from rnnviz.embeddings.words import MAX_ROWS, MAX_TOKENS, PAD, numbers, sentences, whole_numbers
from rnnviz.link import query
from rnnviz.presets import BAG_PRESETS, EMBEDDING_PRESETS
from rnnviz.screens import embeddings as page


def test_equal_words_are_one_row_and_short_sentences_are_filled_up() -> None:
    found = sentences("the cat sat\n\n  the dog\n")
    assert found.names == (PAD, "the", "cat", "sat", "dog")
    assert found.indices == ((1, 2, 3), (1, 4, 0)) and found.note is None
    assert sentences(" \n").indices == ((0,),)


@given(st.text(max_size=700))
def test_any_text_gives_a_matrix_within_the_limits(text: str) -> None:
    found = sentences(text)
    lengths = {len(line) for line in found.indices}
    assert len(lengths) == 1 and 1 <= sum(map(len, found.indices)) <= MAX_TOKENS
    assert len(found.names) <= MAX_ROWS
    assert all(0 <= i < len(found.names) for line in found.indices for i in line)


def test_too_many_words_are_cut_off_aloud() -> None:
    current, values, notes = page.screen({"e_text": " ".join(f"w{i}" for i in range(120))})
    assert current.table.positions <= MAX_TOKENS and current.table.config.num_embeddings <= MAX_ROWS
    assert "at most 64 positions" in notes["e_text"]
    again, _, silent = page.screen({"e_text": values["e_text"]})
    assert not silent and again == current  # corrected once, and then right


def test_numbers_are_read_also_in_brackets() -> None:
    assert whole_numbers("[[1, 2], [3, 4]]", "x") == (((1, 2), (3, 4)), None)
    assert whole_numbers("1 2; 3 4", "x") == (((1, 2), (3, 4)), None)
    assert whole_numbers("[0, 4]", "x") == (((0, 4),), None)
    found, note = whole_numbers("1 two 3.5 4", "offsets")
    assert found == ((1, 4),) and note == "offsets: “two”, “3.5” are not each a whole number, and left out"
    assert numbers("[0.5, -1; 1e3]", "w") == ((0.5, -1.0, 1000.0), None)
    assert numbers("nan 1", "w") == ((1.0,), "w: “nan” is not a number of at most ±1000, and left out")


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("e_indices", "1 x 2", "1 2"),
        ("e_indices", "", "0"),
        ("e_items", "1 " * 60, " ".join(["1"] * MAX_ITEMS)),
        ("e_offsets", "0 " * 40, " ".join(["0"] * MAX_BAGS)),
        ("e_weights", "1 big", "1"),
    ],
)
def test_what_cannot_be_used_is_left_out_aloud(key: str, value: str, shown: str) -> None:
    _, values, notes = page.screen({"e_source": "Indices", key: value})
    assert values[key] == shown and key in notes
    assert key not in page.screen({"e_source": "Indices", key: values[key]})[2]


def test_what_points_beyond_a_smaller_table_follows_it() -> None:
    _, values, notes = page.screen(
        {"e_source": "Indices", "e_rows": 3, "e_pad": 9, "e_pos": 50, "e_bag_padded": True, "e_bag_pad": 9}
    )
    assert (values["e_pad"], values["e_pos"], values["e_bag_pad"]) == (2, 7, 2) and not notes


@given(
    st.dictionaries(
        st.sampled_from([f.key for f in page.FIELDS]),
        st.one_of(st.text(max_size=60), st.integers(), st.floats(), st.booleans()),
    )
)
def test_any_address_gives_a_screen_that_repeats_itself(found: dict[str, Any]) -> None:
    current, values, _ = page.screen(found)
    again, same, notes = page.screen(values)
    assert again == current and same == values and not notes
    hash(current)
    query(page.FIELDS, values)
    page.active_preset(current)


@pytest.mark.parametrize("row", page.EXAMPLES)
def test_every_preset_is_one_click_whatever_was_there_before(row: str) -> None:
    values = page.preset_values(page.EXAMPLES[row])
    current, _, notes = page.screen(values)
    assert not notes and page.active_preset(current) == row
    configs = {**EMBEDDING_PRESETS, **BAG_PRESETS}
    if row in configs:
        assert configs[row] in (current.table.config, current.bags.config)
    assert page.active_preset(page.screen(values | {"e_seed": 7})[0]) == row
    assert set(values) == {f.key for f in page.FIELDS} - {"e_seed"}


def test_rows_c1_to_c8_are_there_in_order() -> None:
    assert list(page.EXAMPLES) == [f"C{i}" for i in range(1, 9)]


# ---- clicks --------------------------------------------------------------------------------------------


def table(**values: Any) -> Any:
    return page.screen(values)[0].table


def after(**clicked: Any) -> Any:
    return page.screen(clicked)[0].table


def test_a_click_on_a_row_adds_its_word_to_the_marked_sentence() -> None:
    before = table(e_text="a b c\nb")
    first = with_row(before, 1, 3)
    assert first == {"e_text": "a b c c\nb", "e_pos": 3}
    second = with_row(before, 4, 1)  # a position that only fills up belongs to its sentence too
    assert second == {"e_text": "a b c\nb a", "e_pos": 4}
    assert after(e_text=second["e_text"]).indices[1][1] == 1
    assert after(**with_row(before, 3, 0)).indices == ((1, 2, 3), (2, 0, 0))


def test_a_click_on_a_row_of_bare_numbers_replaces_the_marked_one() -> None:
    before = table(e_source="Indices", e_indices="1 2\n3 4")
    assert with_row(before, 2, 9) == {"e_indices": "1 2\n9 4", "e_pos": 3}
    assert with_row(before, 3, 9)["e_pos"] == 0


@given(st.text("ab c\n", min_size=1, max_size=40), st.integers(0, 63), st.integers(0, 63))
def test_any_click_leaves_a_screen(text: str, position: int, row: int) -> None:
    before = table(e_text=text)
    clicked = with_row(before, position % before.positions, row % before.config.num_embeddings)
    now = after(**clicked)
    assert now.positions <= MAX_TOKENS and set(now.names) == set(before.names)


def test_a_click_on_the_list_starts_a_bag_or_ends_it() -> None:
    def clicked(position: int, **values: Any) -> str | None:
        return with_start(page.screen(values)[0].bags, position)

    assert clicked(2) == "0 2 4"
    assert clicked(4) == "0"
    assert clicked(0) is None and clicked(8) is None and clicked(-1) is None
    assert clicked(3, e_offsets="0 3 3 6") == "0 6"  # the empty bag goes too
    assert clicked(3, e_offsets="5 1") == "0 1 3 5"  # what PyTorch refused is put right
    assert clicked(3, e_offsets="") == "0 3"
    assert clicked(1, e_items="1 2\n3 4") is None
    assert clicked(5, e_offsets=" ".join(["0"] * MAX_BAGS)) is None
