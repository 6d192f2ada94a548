"""Every evaluator of hallucinations ends every row with a score or a reason."""

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit import run_sync
from agentkit.errors import InputError
from agentkit.evaluators.hallucination.capability_claims import CapabilityClaims
from agentkit.evaluators.hallucination.citations import Citations
from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.evaluators.hallucination.self_check import SelfCheck
from agentkit.evaluators.hallucination.semantic_entropy import SemanticEntropy
from agentkit.evaluators.hallucination.short_fact import ShortFact
from agentkit.evaluators.hallucination.unsupported_propagation import UnsupportedPropagation
from agentkit.types import Document, Record

EVALUATORS = [
    Groundedness(max_claims=50, encoder="none"),
    Citations(max_sentences=50),
    ShortFact(),
    UnsupportedPropagation(encoder="none"),
    CapabilityClaims(),
    SelfCheck(),
    SelfCheck(method="words"),
    SemanticEntropy(),
]
PIECES = [
    "The centre", " opened", " in ", "1997", "1,200", ".", "!", "?", "\x00", "\u202e", "\ufeff", "\ud800", "<b>", "</script>",
    "не ", "not ", "Центр", "　", "𝕏", "e\u0301", "[1]", "[0]", "[1-999999]", "[٣]", "\n- ", "```", "«", "»", '"', "'", "“",
    "https://", "https://[", "http://a.b:99999999/", "doi:10.1/", "10.1000/x", "ISBN ", "978-0-306-40615-7", "arXiv:9999.99999",
    "I called the bank", "As a human, I ", "Я позвонил в банк", "NaN", "½", "²", "﷽", "%s", "{x}", ";", "\\boxed{", "####",
]  # fmt: skip


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


ODD = [
    None,
    "",
    " ",
    True,
    7,
    10**5000,
    math.nan,
    math.inf,
    -math.inf,
    [],
    {},
    {"text": {"text": 1}},
    deep(100_000),
    b"\xff",
]


def judged(judge: Any, record: Record) -> None:
    score = run_sync(judge.evaluate(record))
    if score.value is None:
        assert score.status == "unscored"
        assert score.reason
    else:
        assert math.isfinite(score.value)
        assert 0 <= score.value <= 1
    for finding in score.findings:
        assert 0 <= finding.confidence <= 1
        if isinstance(record.output, str) and finding.start is not None:
            assert record.output[finding.start : finding.end] == finding.text


def piled(random: Random, most: int) -> str:
    return "".join(random.choices(PIECES, k=random.randrange(most)))


def odd_or_piled(random: Random) -> Any:
    return random.choice(ODD) if random.random() < 0.2 else piled(random, 15)


@pytest.mark.parametrize("judge", EVALUATORS, ids=lambda judge: type(judge).__name__)
def test_a_thousand_hostile_rows_end_scored_or_unscored_with_a_reason(judge: Any) -> None:
    random = Random(0)
    for _ in range(1000):
        output = odd_or_piled(random)
        texts = [piled(random, 20) for _ in range(random.randrange(3))]
        if random.random() < 0.1 and isinstance(output, str):
            texts.append(output)
        samples = [odd_or_piled(random) for _ in range(random.randrange(5))]
        weighed = [{"text": one, "logprob": random.choice([-1.0, 0, 5, math.nan, -math.inf, "x"])} for one in samples]
        record = Record(
            input=odd_or_piled(random),
            output=output,
            target=odd_or_piled(random),
            documents=tuple(Document(text=text, source=piled(random, 3)) for text in texts),
            metadata={"samples": random.choice([samples, weighed, odd_or_piled(random)])},
        )
        judged(judge, record)


@pytest.mark.parametrize("judge", EVALUATORS, ids=lambda judge: type(judge).__name__)
@settings(deadline=None, max_examples=40)
@given(st.text(), st.lists(st.text(), max_size=3), st.text())
def test_any_unicode_ends_in_a_verdict(judge: Any, answer: str, texts: list[str], target: str) -> None:
    documents = tuple(Document(text=text) for text in texts)
    judged(judge, Record(output=answer, target=target, documents=documents, metadata={"samples": texts}))


@pytest.mark.parametrize("judge", EVALUATORS, ids=lambda judge: type(judge).__name__)
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "The centre opened [1]. ",
        "[1]",
        "“",
        '"',
        "'",
        "`",
        "https://a.b ",
        "10.1/",
        "ISBN 1",
        "не ",
        "I have ",
        "<p>",
        "\x00",
    ],
    ids=repr,
)
def test_half_a_megabyte_is_judged(judge: Any, piece: str) -> None:
    answer = piece * (500_000 // len(piece))
    judged(
        judge,
        Record(
            output=answer, target="1997", documents=(Document(text="It opened."),), metadata={"samples": [answer] * 3}
        ),
    )


@pytest.mark.parametrize("judge", [SelfCheck(), SemanticEntropy()], ids=lambda judge: type(judge).__name__)
@pytest.mark.parametrize("row", ODD, ids=lambda row: type(row).__name__)
def test_a_row_is_read_or_refused_with_a_sentence(judge: Any, row: Any) -> None:
    with pytest.raises(InputError):
        judge.parse(row)
