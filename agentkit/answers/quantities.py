"""Units of measurement, English and Russian, and the base unit each is an exact multiple of."""

from __future__ import annotations

import re
from fractions import Fraction

_TABLE = """
m      1          m meter meters metre metres м метр метра метров
m      1000       km kilometer kilometers kilometre kilometres км километр километра километров
m      1/100      cm centimeter centimeters centimetre centimetres см сантиметр сантиметра сантиметров
m      1/1000     mm millimeter millimeters millimetre millimetres мм миллиметр миллиметра миллиметров
m      127/5000   in inch inches дюйм дюйма дюймов
m      381/1250   ft foot feet фут фута футов
m      1143/1250  yd yard yards ярд ярда ярдов
m      201168/125 mi mile miles миля мили миль
g      1          g gram grams gramme grammes г гр грамм грамма граммов
g      1000       kg kilogram kilograms kilo kilos кг килограмм килограмма килограммов
g      1/1000     mg milligram milligrams мг миллиграмм миллиграмма миллиграммов
g      1000000    t ton tons tonne tonnes т тонна тонны тонн
g      45359237/100000 lb lbs pound pounds фунт фунта фунтов
g      45359237/1600000 oz ounce ounces унция унции унций
s      1          s sec secs second seconds с сек секунда секунды секунд
s      1/1000     ms millisecond milliseconds мс миллисекунда миллисекунды миллисекунд
s      60         min mins minute minutes мин минута минуты минут
s      3600       h hr hrs hour hours ч час часа часов
s      86400      d day days сут день дня дней
s      604800     wk week weeks неделя недели недель
month  1          mo month months мес месяц месяца месяцев
month  12         yr yrs year years год года лет
l      1          l liter liters litre litres л литр литра литров
l      1/1000     ml milliliter milliliters millilitre millilitres мл миллилитр миллилитра миллилитров
m^2    1          m^2 m2 sqm square_meters square_meter square_metres кв_м квадратных_метров
m^2    1/10000    cm^2 cm2 square_centimeters square_centimetres кв_см квадратных_сантиметров
m^2    1000000    km^2 km2 square_kilometers square_kilometres кв_км квадратных_километров
m^3    1          m^3 m3 cubic_meters cubic_metres куб_м кубических_метров
m^3    1/1000000  cm^3 cm3 cubic_centimeters cubic_centimetres куб_см
km/h   1          km/h kmh kph kilometers_per_hour kilometres_per_hour км/ч
km/h   18/5       m/s mps meters_per_second metres_per_second м/с
km/h   25146/15625 mph miles_per_hour
deg    1          degree degrees deg ° градус градуса градусов
°C     1          °c degrees_celsius celsius
°F     1          °f degrees_fahrenheit fahrenheit
"""


def _read(table: str) -> dict[str, tuple[str, Fraction]]:
    rows = (line.split() for line in table.strip().splitlines())
    return {name: (base, Fraction(factor)) for base, factor, *names in rows for name in names}


UNITS = _read(_TABLE)
"""Name -> (base unit, how many of it)."""


def unit(text: str) -> tuple[str, Fraction] | None:
    """The base unit and factor that ``text`` names, or None: ``unit("km")`` is ``("m", 1000)``."""
    name = re.sub(r"[\s.]+", "_", text.strip().rstrip(".").casefold())
    return UNITS.get(name)
