"""What the sentence encoder adds to groundedness."""

import pytest

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination import likeness
from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.types import Document

SOURCE = (Document(text="The physician prescribed the child an antibiotic. The clinic shuts at six in the evening."),)
SAME = "The doctor gave the kid some medicine."
OTHER = "The mayor opened a new bridge."


@pytest.fixture
def reader() -> likeness.Reader:
    found = likeness.reader(None)
    assert isinstance(found, likeness.Reader), found
    return found


def test_a_claim_is_like_its_evidence_in_other_words(reader):
    sentences = [SOURCE[0].text]
    same, other = reader.compare(SAME, sentences), reader.compare(OTHER, sentences)
    assert same.words > other.words
    assert same.nearest > other.nearest + 0.2
    assert same.worst < other.worst


def test_the_same_words_are_as_like_as_can_be(reader):
    found = reader.compare(SAME, [SAME])
    assert found.words == pytest.approx(1, abs=1e-3)
    assert found.nearest == pytest.approx(1, abs=1e-3)
    assert found.worst == pytest.approx(0, abs=1e-3)


def test_without_a_sentence_or_a_word_nothing_is_like_anything(reader):
    assert reader.compare(SAME, []) == (0.0, 0.0, 0.0)
    assert reader.compare("", [SAME]) == (0.0, 0.0, 0.0)
    assert reader.compare("\ud800", ["\udfff"]).words <= 1


def test_a_likeness_does_not_depend_on_what_was_compared_before(reader):
    alone = reader.compare(SAME, [SOURCE[0].text])
    reader.compare(OTHER, [SOURCE[0].text, SAME, "A third sentence that is somewhat longer than the others are."])
    assert likeness.Reader(encoder=reader.encoder).compare(SAME, [SOURCE[0].text]) == alone


def test_a_paraphrase_scores_higher_with_the_encoder_than_an_invention():
    judge = Groundedness(encoder="minilm")
    same, other = judge.check(SAME, SOURCE), judge.check(OTHER, SOURCE)
    assert same.value > other.value
    assert same.metadata["encoder"] == "minilm"


def test_long_documents_are_judged_by_their_words_unless_the_encoder_is_insisted_on():
    long = (Document(text=SOURCE[0].text + " The bus runs every hour." * 60),)
    assert Groundedness().check(SAME, long).metadata["encoder"] == "none"
    assert Groundedness(encoder="minilm").check(SAME, long).metadata["encoder"] == "minilm"


def test_russian_is_judged_by_its_words():
    source = (Document(text="Врач выписал ребёнку антибиотик."),)
    assert Groundedness().check("Врач выписал антибиотик ребёнку.", source).metadata["encoder"] == "none"


def test_without_weights_auto_goes_by_the_words_and_an_encoder_that_is_asked_for_is_missed(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    likeness.reader.cache_clear()
    try:
        plain = Groundedness(cache=tmp_path).check(SAME, SOURCE)
        assert plain.metadata["encoder"] == "none"
        assert plain == Groundedness(encoder="none").check(SAME, SOURCE)
        with pytest.raises(ConfigError, match="groundedness: "):
            Groundedness(encoder="minilm", cache=tmp_path).check(SAME, SOURCE)
    finally:
        likeness.reader.cache_clear()
