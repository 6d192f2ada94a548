from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from agentkit.strategies import picture
from agentkit.types import Thought, Vote

TREE = (
    Thought(text="Add them.", value=20.0, kept=True),
    Thought(text="Take them away.", value=0.001),
    Thought(text="3 + 4 = 7", parent=0, depth=1, value=20.0, kept=True),
    Thought(text="Ask Tom.", parent=0, depth=1),
    Thought(text="Answer: 7", parent=2, depth=2, value=20.0, kept=True),
)
VOTES = (Vote(answer="7", count=3, weight=3.0), Vote(answer="8", count=1, weight=1.0))
NAMESPACE = "{http://www.w3.org/2000/svg}"

WORDS = st.text(max_size=200)


@st.composite
def trees(draw):
    count = draw(st.integers(0, 12))
    parents = [draw(st.none() | st.integers(0, place - 1)) if place else None for place in range(count)]
    values = st.none() | st.floats(-5, 60)
    return tuple(Thought(text=draw(WORDS), parent=one, value=draw(values), kept=draw(st.booleans())) for one in parents)


def test_text_shows_thoughts_under_their_parents_and_the_votes():
    assert picture.text(TREE, VOTES).splitlines() == [
        "* Add them.  (20)",
        "├─ * 3 + 4 = 7  (20)",
        "│  └─ * Answer: 7  (20)",
        "└─   Ask Tom.",
        "  Take them away.  (0.001)",
        "     3  7",
        "     1  8",
    ]


def test_svg_holds_every_thought_and_vote():
    drawn = ElementTree.fromstring(picture.svg(TREE, VOTES))
    said = [one.text for one in drawn.iter(f"{NAMESPACE}text")]
    assert len(said) == len(TREE) + len(VOTES)
    assert said[0] == "Add them.  (20)"
    assert len(list(drawn.iter(f"{NAMESPACE}path"))) == 3


@given(trees(), st.lists(st.builds(Vote, answer=WORDS, count=st.just(1), weight=st.floats(0, 9)), max_size=4))
def test_whatever_was_thought_can_be_drawn(tree, votes):
    drawn = ElementTree.fromstring(picture.svg(tree, votes))
    assert len(list(drawn.iter(f"{NAMESPACE}text"))) == len(tree) + len(votes)
    assert len(picture.text(tree, votes).splitlines()) >= len(tree)


def test_a_chain_of_any_depth_can_be_drawn():
    chain = tuple(Thought(text="on", parent=place - 1 if place else None) for place in range(1500))
    assert picture.text(chain).count("on") == 1500
