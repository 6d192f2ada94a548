"""The shop's database as values, and a seeded one with a customer's wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Literal

from agentkit.environments.play import call

Status = Literal["pending", "delivered", "cancelled", "return requested"]

REASONS = ("no longer needed", "ordered by mistake")
GIFT_CARD = "gift card"

_FIRST = ("Ava", "Boris", "Chen", "Dina", "Emil", "Fatima", "Goran", "Hiro", "Inga", "Jonas", "Karla", "Luis")
_LAST = (
    "Adler",
    "Brandt",
    "Costa",
    "Dorn",
    "Eriksen",
    "Farkas",
    "Garcia",
    "Haddad",
    "Ivanov",
    "Jensen",
    "Kato",
    "Lund",
)
_PRODUCTS = ("lamp", "kettle", "backpack", "keyboard", "blanket", "headphones")
_COLOURS = ("black", "white", "red", "green", "blue")
_STREETS = ("Oak Street", "River Road", "Hill Lane", "Station Square", "Park Avenue")


@dataclass(frozen=True, slots=True)
class Item:
    """A variant of a product; the price is in cents."""

    id: str
    product: str
    colour: str
    price: int


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer bought."""

    id: str
    user: str
    status: Status
    items: tuple[str, ...]
    address: str
    payment: str
    returned: tuple[str, ...] = ()
    refund_to: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """A customer."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Shop:
    """The whole database."""

    users: Mapping[str, User]
    orders: Mapping[str, Order]
    items: Mapping[str, Item]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the customer wants: a call, how he puts it, and whether the policy allows it."""

    tool: str
    arguments: Mapping[str, object]
    said: str
    allowed: bool = True

    @property
    def text(self) -> str:
        """The call."""
        return call(self.tool, **self.arguments)


@dataclass(frozen=True, slots=True)
class Case:
    """A shop, the customer who calls and what they want."""

    shop: Shop
    user: str
    wishes: tuple[Wish, ...]
    vague: bool = field(default=False)


@lru_cache(maxsize=64)
def drawn(wishes: int, distractors: int, forbidden: float, vague: bool, seed: int) -> Case:
    """A seeded case: one order for each wish, ``distractors`` more of the same customer and as many of others."""
    rng = Random(f"retail/{wishes}/{distractors}/{seed}")
    numbers = iter(rng.sample(range(10_000, 100_000), 60 + 4 * (wishes + distractors)))
    items = {f"I{next(numbers)}": (product, colour) for product in _PRODUCTS for colour in _COLOURS[:4]}
    stock = {name: Item(name, *what, rng.randint(500, 20_000)) for name, what in items.items()}
    people = [f"{first} {last}" for first, last in zip(rng.sample(_FIRST, 3), rng.sample(_LAST, 3), strict=True)]
    users = {
        name: User(name, who, f"{name}@mail.example") for who in people for name in [who.lower().replace(" ", ".")]
    }
    customer, *others = users
    orders = {}
    for place in range(wishes + 2 * distractors):
        owner = customer if place < wishes + distractors else rng.choice(others)
        order = _order(f"W{next(numbers)}", owner, list(stock), rng)
        orders[order.id] = order
    shop = Shop(users, orders, stock)
    wanted = tuple(_wish(shop, order, rng, rng.random() < forbidden) for order in list(orders.values())[:wishes])
    return Case(shop, customer, wanted, vague)


def _order(name: str, user: str, items: list[str], rng: Random) -> Order:
    status: Status = rng.choice(("pending", "delivered"))
    chosen = tuple(rng.sample(items, rng.randint(1, 3)))
    return Order(name, user, status, chosen, _address(rng), rng.choice(("credit card", "bank transfer")))


def _address(rng: Random) -> str:
    return f"{rng.randint(1, 99)} {rng.choice(_STREETS)}"


def _wish(shop: Shop, order: Order, rng: Random, forbidden: bool) -> Wish:
    """Something that the status of the order allows, or forbids."""
    pending = (order.status == "pending") != forbidden
    kind = rng.choice(("cancel_order", "exchange_item", "change_address")) if pending else "return_items"
    arguments: dict[str, object] = {"order": order.id}
    if kind == "cancel_order":
        arguments["reason"] = reason = rng.choice(REASONS)
        said = f"cancel order {order.id}, it is {reason}"
    elif kind == "change_address":
        arguments["address"] = address = _address(rng)
        said = f"have order {order.id} sent to {address} instead"
    elif kind == "exchange_item":
        old = shop.items[rng.choice(order.items)]
        new = rng.choice([one for one in shop.items.values() if one.product == old.product and one.id != old.id])
        arguments |= {"item": old.id, "new_item": new.id}
        said = f"get the {new.colour} {new.product} instead of the {old.colour} one in order {order.id}"
    else:
        items = [one for one in order.items if rng.random() < 0.6] or [order.items[0]]
        to = rng.choice((order.payment, GIFT_CARD))
        arguments |= {"items": items, "refund_to": to}
        named = " and the ".join(f"{shop.items[one].colour} {shop.items[one].product}" for one in items)
        said = f"return the {named} of order {order.id}, the money back to my {to}"
    return Wish(tool=kind, arguments=arguments, said=said, allowed=not forbidden)
