"""Numbers under one value however they are written: ``1,000``, ``one thousand``, ``1 тыс.``, ``тысяча``."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import NamedTuple

from agentkit.text import Word

_LONGEST = 40  # digits: a longer run is an identifier, compared as written


class Quantity(NamedTuple):
    """Words ``[first, last]`` of a text that are one number: its canonical ``value``, and the ``unit`` it counts if known."""

    first: int
    last: int
    value: str
    unit: str


def _table(text: str) -> dict[str, str]:
    return {word: value for value, *names in (line.split() for line in text.strip().splitlines()) for word in names}


_CARDINALS = MappingProxyType(
    _table("""
    2 two second twice два две двух двум двумя второй вторая второе дважды
    3 three third три трех трём трем тремя трёх третий третья третье трижды
    4 four fourth четыре четырех четырёх четырем четвертый четвёртый четвертая
    5 five fifth пять пяти пятью пятый пятая
    6 six sixth шесть шести шестью шестой шестая
    7 seven seventh семь семи семью седьмой седьмая
    8 eight eighth восемь восьми восьмой восьмая
    9 nine ninth девять девяти девятый девятая
    10 ten tenth десять десяти десятый десятая
    11 eleven eleventh одиннадцать одиннадцати
    12 twelve twelfth dozen двенадцать двенадцати дюжина
    13 thirteen тринадцать тринадцати
    14 fourteen четырнадцать четырнадцати
    15 fifteen пятнадцать пятнадцати
    16 sixteen шестнадцать шестнадцати
    17 seventeen семнадцать семнадцати
    18 eighteen восемнадцать восемнадцати
    19 nineteen девятнадцать девятнадцати
    20 twenty twentieth двадцать двадцати
    30 thirty тридцать тридцати
    40 forty сорок сорока
    50 fifty пятьдесят пятидесяти
    60 sixty шестьдесят шестидесяти
    70 seventy семьдесят семидесяти
    80 eighty восемьдесят восьмидесяти
    90 ninety девяносто
    200 двести двухсот
    300 триста трехсот
    400 четыреста
    500 пятьсот пятисот
    600 шестьсот
    700 семьсот
    800 восемьсот
    900 девятьсот
    """)
)
_SCALES = MappingProxyType(
    _table("""
    100 hundred hundreds сто ста
    1000 thousand thousands тыс тысяча тысячи тысяч тысячу
    1000000 million millions mln млн миллион миллиона миллионов
    1000000000 billion billions bn млрд миллиард миллиарда миллиардов
    1000000000000 trillion trillions трлн триллион триллиона триллионов
    """)
)
_ALONE = MappingProxyType(
    {
        **_CARDINALS,
        **{
            word: value
            for word, value in _SCALES.items()
            if word in ("million", "billion", "тысяча", "миллион", "миллиард")
        },
    }
)
_UNITS = MappingProxyType(
    _table("""
    % % percent per-cent процент процента процентов проц
    $ $ dollar dollars usd долл доллар доллара долларов
    € € euro euros eur евро
    £ £ pound-sterling gbp фунт фунта фунтов
    ₽ ₽ rub ruble rubles rouble roubles руб рубль рубля рублей
    km km kilometre kilometres kilometer kilometers км километр километра километров
    m metre metres meter meters метр метра метров
    cm cm centimetre centimetres centimeter centimeters см сантиметр сантиметра сантиметров
    mm mm millimetre millimetres millimeter millimeters мм миллиметр миллиметра миллиметров
    mi mile miles миля мили миль
    ft ft foot feet фут фута футов
    kg kg kilogram kilograms кг килограмм килограмма килограммов
    g gram grams грамм грамма граммов
    t ton tons tonne tonnes тонна тонны тонн
    year year years год года лет
    month month months месяц месяца месяцев
    week week weeks неделя недели недель
    day day days день дня дней сутки суток
    hour hour hours час часа часов
    minute minute minutes мин минута минуты минут
    second seconds сек секунда секунды секунд
    °C °c celsius цельсия
    °F °f fahrenheit фаренгейта
    """)
)


def quantities(words: Sequence[Word]) -> list[Quantity]:
    """The numbers among ``words``, in order: ``two million`` is one number, ``one`` (mostly a pronoun) is none."""
    found: list[Quantity] = []
    for index, word in enumerate(words):
        if word.kind == "punctuation" or (found and index <= found[-1].last):
            continue
        value = word.stem if word.kind == "number" else _ALONE.get(word.text.casefold())
        if value is not None:
            last, value = _scaled(words, index, value)
            found.append(Quantity(index, last, value, _unit(words, index, last)))
    return found


def _scaled(words: Sequence[Word], index: int, value: str) -> tuple[int, str]:
    last = index
    while last + 1 < len(words) and (scale := _SCALES.get(words[last + 1].text.casefold())):
        last, value = last + 1, _times(value, scale)
    return last, value


def _times(value: str, scale: str) -> str:
    if len(value) > _LONGEST:
        return value
    try:
        product = Decimal(value) * Decimal(scale)
    except InvalidOperation:
        return value
    return format(product.normalize(), "f") if product.is_finite() else value


def _unit(words: Sequence[Word], first: int, last: int) -> str:
    for place in (last + 1, first - 1):
        if 0 <= place < len(words):
            unit = _UNITS.get(words[place].text.casefold())
            if unit and (place > last or unit in "$€£₽"):
                return unit
    if last + 2 < len(words) and words[last + 1].text in ("-", "–", "."):
        return _UNITS.get(words[last + 2].text.casefold(), "")
    return ""
