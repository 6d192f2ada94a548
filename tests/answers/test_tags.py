"""The tags of reasoning models, whole and in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.answers import Separator, format_score, separate

CASES = [
    ("plain", "", "plain"),
    ("  kept as it is \n", "", "  kept as it is \n"),
    ("<think>why</think>so", "why", "so"),
    ("<think>\nwhy\n</think>\n\nso\n", "why", "so"),
    ("<think>why</think>\n<answer>42</answer>", "why", "42"),
    ("<answer>42</answer>", "", "42"),
    ("<answer>42</answer> I hope this helps", "I hope this helps", "42"),
    ("<think>a<think>b</think>c</think>d", "abc", "d"),
    ("<think>a</think><think>b</think>c", "ab", "c"),
    ("<think>never closed", "never closed", ""),
    ("<think>torn off</thi", "torn off", ""),
    ("<think>why</think><answer>4", "why", "4"),
    ("<think>why</think><answer>4</ans", "why", "4"),
    ("opened by the template</think>so", "opened by the template", "so"),
    ("<think>the tag <think> opens a thought</think>so", "the tag  opens a thought", "so"),
    ("<Thinking>why</Thinking>so", "why", "so"),
    ("The tag <think>x</think> is for models", "", "The tag <think>x</think> is for models"),
    ("Write <answer>4</answer>", "", "Write <answer>4</answer>"),
    ("<think></think>so", "", "so"),
    ("<think>why</think><b>so</b>", "why", "<b>so</b>"),
    ("<think>2 < 3, x<y</think>so", "2 < 3, x<y", "so"),
    ("", "", ""),
]


@pytest.mark.parametrize(("completion", "reasoning", "text"), CASES)
def test_the_parts_of_a_whole_completion(completion: str, reasoning: str, text: str) -> None:
    found = separate(completion)
    assert (found.reasoning, found.text) == (reasoning, text)


WORD = st.text(alphabet="ab <>/\nчё", max_size=8)


@st.composite
def well_formed(draw: st.DrawFn) -> str:
    thought = st.recursive(
        WORD.map(clean), lambda inner: inner.map(lambda one: f"x<think>{one}</think>y"), max_leaves=3
    )
    blocks = [f"<think>{one}</think>" for one in draw(st.lists(thought, max_size=2))]
    answer = clean(draw(WORD))
    return "".join([*blocks, draw(st.sampled_from([f"<answer>{answer}</answer>", f"t{answer}"]))])


def clean(text: str) -> str:
    return text.replace("<", "").replace(">", "")


@given(well_formed(), st.data())
def test_pieces_add_up_to_the_whole_however_they_are_cut(completion: str, data: st.DataObject) -> None:
    separator, pieces, rest = Separator(), [], completion
    while rest:
        length = data.draw(st.integers(1, len(rest)))
        pieces += separator.feed(rest[:length])
        rest = rest[length:]
    pieces += separator.end()
    whole = separate(completion)
    for channel in ("reasoning", "text"):
        assert "".join(piece for one, piece in pieces if one == channel) == getattr(whole, channel)


@given(st.text(alphabet="ab</>think nswer", max_size=60))
def test_nothing_said_outside_the_tags_is_lost(completion: str) -> None:
    found = separate(completion)
    assert sorted(clean(found.reasoning + found.text).replace(" ", "")) <= sorted(clean(completion).replace(" ", ""))


@pytest.mark.parametrize(
    ("completion", "reasoning", "text"),
    [("why</think>so", "why", "so"), ("why", "why", ""), ("a<think>b</think>c</think>d", "abc", "d")],
)
def test_a_thought_that_the_template_opened(completion: str, reasoning: str, text: str) -> None:
    found, separator = separate(completion, opened=True), Separator(opened=True)
    assert (found.reasoning, found.text) == (reasoning, text)
    pieces = [*separator.feed(completion), *separator.end()]
    assert "".join(piece for one, piece in pieces if one == "reasoning") == reasoning


def test_plain_text_is_handed_on_at_once() -> None:
    separator = Separator()
    assert separator.feed("Hello") == [("text", "Hello")]
    assert separator.feed(" <think>") == [("text", " <think>")]


def test_a_tag_cut_in_two_is_held_back_until_it_is_whole() -> None:
    separator = Separator()
    assert separator.feed("<thi") == []
    assert separator.feed("nk>why") == [("reasoning", "why")]
    assert separator.feed("</th") == []
    assert separator.feed("ink>\nso") == [("text", "so")]


@pytest.mark.parametrize(
    ("completion", "score"),
    [
        ("<think>why</think><answer>42</answer>", 1.0),
        ("<think>why</think>\n<answer>42</answer>\n", 1.0),
        ("Sure: <think>why</think><answer>42</answer>", 0.8),
        ("<think>why</think>42", 0.4),
        ("<think></think><answer>42</answer>", 0.8),
        ("<answer>42</answer><think>why</think>", 0.8),
        ("<think><think>why</think><answer>42</answer>", 0.6),
        ("42", 0.0),
        ("", 0.0),
    ],
)
def test_the_format_score_climbs_with_every_tag_in_its_place(completion: str, score: float) -> None:
    assert format_score(completion) == pytest.approx(score)
