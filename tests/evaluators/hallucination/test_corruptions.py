"""The rules that make labelled claims for the suite."""

import importlib.util
import sys
from pathlib import Path
from random import Random

import pytest

FILE = Path(__file__).parents[3] / "evals" / "hallucination" / "corruptions.py"
spec = importlib.util.spec_from_file_location("corruptions", FILE)
assert spec is not None
assert spec.loader is not None
corruptions = importlib.util.module_from_spec(spec)
sys.modules["corruptions"] = corruptions
spec.loader.exec_module(corruptions)

PARAGRAPHS = {
    "en": [
        "The old bridge over the Tees in Yarm was built in 1400 by Bishop Skirlaw. It has carried 2,500 carts a day since then.",
        "The museum of Whitby was opened in 1823, and James Cook has a room of his own there. It is visited by 40,000 people.",
    ],
    "ru": [
        "Старый мост через реку Тверцу в городе Торжке был построен в 1846 году. Его длина была равна 120 метрам, и он цел.",
        "Музей в городе Твери был открыт в 1866 году, и там есть зал Афанасия Никитина. Его посетили 40 000 человек.",
    ],
}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_half_the_claims_are_corrupted_and_the_seed_decides_how(language: str) -> None:
    made = corruptions.examples(PARAGRAPHS[language], language, Random(1))
    assert made == corruptions.examples(PARAGRAPHS[language], language, Random(1))
    assert {one.supported for one in made} == {True, False}
    for one in made:
        assert one.document in PARAGRAPHS[language]
        assert one.supported or one.claim not in one.document
