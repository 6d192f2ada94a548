"""What language a text is in."""

import pytest

from agentkit.text import language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The warranty covers parts and labour for two years.", "en"),
        ("Гарантия действует два года и распространяется на детали.", "ru"),
        ("Die Garantie gilt für zwei Jahre und ist nicht übertragbar.", "de"),
        ("La garantie est valable pour deux ans et les pièces sont couvertes.", "fr"),
        ("La garantía cubre las piezas por dos años.", "es"),
        ("Гарантія діє два роки і поширюється на деталі.", "uk"),
        ("保証期間は二年です。", "ja"),
        ("保修期为两年。", "zh"),
        ("الضمان ساري لمدة عامين", "ar"),
        ("Москва", "ru"),
        ("Warszawa", "unknown"),
        ("12345 -- !!", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_text_is_known_by_its_letters_and_frequent_words(text, expected):
    assert language(text) == expected


def test_the_language_of_most_words_wins_in_a_mixed_text():
    assert language("The word «дом» is Russian for house and it is short.") == "en"
    assert language("Слово house по-английски значит дом, и это не всё.") == "ru"
