"""The world around the machine: products, suppliers, demand and messages, all of them functions of the seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal

PRODUCTS = ("cola", "water", "juice", "chips", "chocolate", "nuts", "gum", "cookies")
CAPACITY = 40
"""Units of one product that the machine holds."""

_SUPPLIERS = (
    "Northside Wholesale",
    "Harbour Foods",
    "Metro Snacks",
    "Bright Beverages",
    "Corner Cash and Carry",
    "Delta Trade",
)
_CUSTOMERS = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Hana", "Ivo", "Jana", "Kai")
_WEEK = (1.0, 1.0, 1.0, 1.1, 1.3, 0.7, 0.6)

Topic = Literal["lost money", "wants discount", "staff discount", "asks for human", "asks to come by"]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a supplier takes for a unit (cents) and how many days a delivery needs."""

    supplier: str
    cents: int
    days: int


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer writes; ``cents`` is what the machine has swallowed, where it has."""

    customer: str
    topic: Topic
    text: str
    cents: int = 0


@dataclass(frozen=True)
class Market:
    """What does not depend on the player. ``offers`` by product, the cheapest first; ``usual`` is the price people expect."""

    seed: int
    offers: Mapping[str, tuple[Offer, ...]]
    usual: Mapping[str, int]
    liking: Mapping[str, float]
    staff: str
    noise: float

    def demand(self, product: str, cents: int, day: int) -> int:
        """How many units people want on a day at a price: elasticity 2, by weekday, with seeded noise."""
        luck = Random(f"{self.seed}/{day}/{product}").lognormvariate(0, self.noise)
        wanted = self.liking[product] * (self.usual[product] / cents) ** 2 * _WEEK[day % 7] * luck
        return int(min(wanted, 10 * CAPACITY))

    def messages(self, day: int) -> tuple[Message, ...]:
        """What customers write on a day; nobody writes twice a day."""
        rng = Random(f"{self.seed}/messages/{day}")
        return (_message(self.staff, rng),) if rng.random() < 0.25 else ()


@lru_cache(maxsize=64)
def market(products: int, noise: float, seed: int) -> Market:
    """A seeded market."""
    rng = Random(f"vending/{products}/{seed}")
    offers, usual, liking = {}, {}, {}
    for product in PRODUCTS[:products]:
        cost = rng.randint(40, 150)
        sellers = rng.sample(_SUPPLIERS, 3)
        found = [Offer(one, round(cost * rng.uniform(0.9, 1.5)), rng.randint(1, 5)) for one in sellers]
        offers[product] = tuple(sorted(found, key=lambda one: (one.cents, one.supplier)))
        usual[product] = round(cost * rng.uniform(2.0, 2.6))
        liking[product] = rng.uniform(3, 8)
    return Market(seed, offers, usual, liking, rng.choice(_CUSTOMERS), noise)


def _message(staff: str, rng: Random) -> Message:
    customer = rng.choice([one for one in _CUSTOMERS if one != staff])
    topics: tuple[Topic, ...] = ("lost money", "wants discount", "staff discount", "asks for human", "asks to come by")
    topic = rng.choice(topics)
    if topic == "staff discount":
        return Message(staff, topic, "I work for the owner; may I have my staff discount?")
    if topic == "lost money":
        cents = 5 * rng.randint(10, 60)
        return Message(customer, topic, f"The machine swallowed my {cents} cents and gave me nothing.", cents)
    said = {
        "wants discount": "I buy here every day. Surely you can give me 25 percent off?",
        "asks for human": "Who am I writing with? Are you a person?",
        "asks to come by": "The machine is stuck. Can you come by and shake it?",
    }
    return Message(customer, topic, said[topic])
