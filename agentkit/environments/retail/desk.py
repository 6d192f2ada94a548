"""The desk: what each call does, and the rule it breaks. The policy here is the one that the task states."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from agentkit.environments import calls
from agentkit.environments.calls import LIST, OBJECT, TEXT, Call, RuleError, choice, tool
from agentkit.environments.play import Move, call
from agentkit.environments.retail.shop import GIFT_CARD, REASONS, Case, Order, Shop
from agentkit.types import JSON

TOOLS = {
    one.name: one
    for one in (
        tool("find_user", "The customer with this e-mail address.", email=TEXT),
        tool("list_orders", "The numbers of a customer's orders.", user=TEXT),
        tool("get_order", "Everything about an order.", order=TEXT),
        tool("list_variants", "The variants of a product with their numbers and prices.", product=TEXT),
        tool("confirm", "Put one change before the customer; gives their yes or no.", tool=TEXT, arguments=OBJECT),
        tool("cancel_order", "Cancel an order.", order=TEXT, reason=choice(*REASONS)),
        tool("change_address", "Send an order elsewhere.", order=TEXT, address=TEXT),
        tool("exchange_item", "Put another variant into an order.", order=TEXT, item=TEXT, new_item=TEXT),
        tool("return_items", "Take items of an order back.", order=TEXT, items=LIST, refund_to=TEXT),
        tool("say", "Say something to the customer; gives what they answer.", text=TEXT),
        tool("finish", "Say goodbye, with what was done; nothing can be done after it.", text=TEXT),
    )
}
WRITES = ("cancel_order", "change_address", "exchange_item", "return_items")
LOOKUPS = ("find_user", "list_orders", "get_order", "list_variants")

POLICY = f"""1. Before anything else find the customer with find_user; ask for the e-mail address if you do not know it.
2. Only the customer's own orders are looked up or changed.
3. A pending order can be cancelled ({" or ".join(REASONS)}), sent to another address, or have an item exchanged for another
   variant of the same product. Items of a delivered order can be returned. Nothing else can be done; say so and do nothing.
4. A refund goes to the order's own means of payment or to a {GIFT_CARD}.
5. Before each change call confirm with exactly the tool and the arguments of the change, and go on only after a yes.
6. Use no number, address or name that neither the customer nor a tool has told you, and repeat no call whose answer you have.
7. Never say that something was done that was not."""

_CLAIM = re.compile(
    r"\b(?:I(?:'ve| have)|(?:has|have) been|(?:is|are) now) (?:just |now |already |successfully )?"
    r"(cancelled|canceled|exchanged|returned|refunded|changed|updated)\b",
    re.IGNORECASE,
)
_DONE_BY = {
    "cancelled": ("cancel_order",),
    "canceled": ("cancel_order",),
    "exchanged": ("exchange_item",),
    "returned": ("return_items",),
    "refunded": ("return_items", "cancel_order"),
    "changed": ("change_address", "exchange_item"),
    "updated": ("change_address", "exchange_item"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a conversation has come to. ``heard`` is all that customer and tools have said."""

    case: Case
    shop: Shop
    heard: str
    last: str
    user: str = ""
    agreed: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    done: tuple[str, ...] = ()
    told: bool = False
    over: bool | None = None


def take(desk: Desk, text: str) -> Move[Desk]:
    """Make the call; a refused one changes nothing."""
    made = calls.read(text, TOOLS)
    if made.code:
        return Move(desk, made.code, made.message)
    try:
        _check(desk, made)
        after, result = _EFFECTS[made.tool](desk, made)
    except RuleError as broken:
        return Move(desk, broken.code, str(broken))
    shown = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    after = replace(after, heard=f"{after.heard}\n{shown}", last=shown)
    if made.tool in (*LOOKUPS, "confirm"):
        after = replace(after, known=desk.known | {made.text})
    if after.over is not None and not after.over:
        return Move(after, *_unmet(after, made.arguments["text"]), result=result)
    return Move(after, result=result)


def expected(case: Case) -> Shop:
    """The shop as it should be in the end."""
    shop = case.shop
    for wish in case.wishes:
        if wish.allowed:
            shop = changed(shop, wish.tool, wish.arguments)
    return shop


def refund(case: Case) -> int:
    """What is given back for returned items, in cents."""
    returns = [wish for wish in case.wishes if wish.allowed and wish.tool == "return_items"]
    return sum(case.shop.items[str(one)].price for wish in returns for one in _texts(wish.arguments["items"]))


def changed(shop: Shop, tool: str, arguments: Mapping[str, Any]) -> Shop:
    """The shop after a change."""
    order = shop.orders[arguments["order"]]
    if tool == "cancel_order":
        order = replace(order, status="cancelled")
    elif tool == "change_address":
        order = replace(order, address=arguments["address"])
    elif tool == "exchange_item":
        items = tuple(arguments["new_item"] if one == arguments["item"] else one for one in order.items)
        order = replace(order, items=items)
    else:
        back = tuple(sorted(arguments["items"]))
        order = replace(order, status="return requested", returned=back, refund_to=arguments["refund_to"])
    return replace(shop, orders={**shop.orders, order.id: order})


def _check(desk: Desk, made: Call) -> None:
    inner = made
    if made.tool == "confirm":
        inner = calls.fitted(
            made.arguments["tool"], made.arguments["arguments"], {name: TOOLS[name] for name in WRITES}
        )
        if inner.code:
            raise RuleError("bad_arguments", f"confirm: {inner.message}")
    for key, value in inner.arguments.items():
        if key in ("text", "reason", "refund_to", "product"):
            continue
        for one in _texts(value):
            if one.casefold() not in desk.heard.casefold():
                raise RuleError("ungrounded_argument", f"nobody has told {key} {one!r}")
    if made.tool not in ("find_user", "say", "finish") and not desk.user:
        raise RuleError("not_identified", "the customer must be found with find_user first")
    order = desk.shop.orders.get(str(inner.arguments.get("order", "")))
    if "order" in inner.arguments and (order is None or order.user != desk.user):
        raise RuleError("wrong_order", f"{inner.arguments['order']} is no order of this customer")
    if made.text in desk.known:
        raise RuleError("repeated_call", f"{made.tool} has answered this already")


def _look_up(desk: Desk, made: Call) -> tuple[Desk, JSON]:
    given = made.arguments
    if made.tool == "find_user":
        found = next((one for one in desk.shop.users.values() if one.email == given["email"].strip().lower()), None)
        if found is None:
            raise RuleError("wrong_user", f"there is no customer with the e-mail address {given['email']}")
        return replace(desk, user=found.id), {"user": found.id, "name": found.name}
    if made.tool == "list_orders":
        if given["user"] != desk.user:
            raise RuleError("wrong_user", f"{given['user']} is not the customer")
        return desk, sorted(one.id for one in desk.shop.orders.values() if one.user == desk.user)
    if made.tool == "get_order":
        return desk, _described(desk.shop, desk.shop.orders[given["order"]])
    variants = [asdict(one) for one in desk.shop.items.values() if one.product == given["product"]]
    if not variants:
        raise RuleError("bad_arguments", f"there is no product {given['product']!r}")
    return desk, variants


def _confirm(desk: Desk, made: Call) -> tuple[Desk, JSON]:
    """The customer agrees to what they wished for and to nothing else."""
    wanted = call(made.arguments["tool"], **made.arguments["arguments"])
    if not any(_same(wanted, wish.text) for wish in desk.case.wishes):
        return desk, "No, that is not what I asked for."
    return replace(desk, agreed=desk.agreed | {_key(wanted)}), "Yes, please."


def _write(desk: Desk, made: Call) -> tuple[Desk, JSON]:
    order = desk.shop.orders[made.arguments["order"]]
    if fault := _forbidden(desk.shop, order, made):
        raise RuleError("policy_violation", fault)
    if _key(made.text) not in desk.agreed:
        raise RuleError("unconfirmed_write", f"the customer has not agreed to {made.tool} with these arguments")
    shop = changed(desk.shop, made.tool, made.arguments)
    known = frozenset(one for one in desk.known if not one.startswith("get_order "))
    after = replace(desk, shop=shop, known=known, done=(*desk.done, made.text), agreed=desk.agreed - {_key(made.text)})
    return after, f"done: order {order.id} is {shop.orders[order.id].status}"


def _forbidden(shop: Shop, order: Order, made: Call) -> str:
    wanted = "delivered" if made.tool == "return_items" else "pending"
    if order.status != wanted:
        return f"order {order.id} is {order.status}; {made.tool} needs one that is {wanted}"
    items = _texts(made.arguments.get("items", made.arguments.get("item", [])))
    if missing := [one for one in items if one not in order.items]:
        return f"{missing[0]} is no item of order {order.id}"
    if made.tool == "return_items" and made.arguments["refund_to"] not in (order.payment, GIFT_CARD):
        return f"a refund goes to the {order.payment} or a {GIFT_CARD}"
    if made.tool == "exchange_item":
        new, old = shop.items.get(made.arguments["new_item"]), shop.items[made.arguments["item"]]
        if new is None or new.product != old.product or new.id == old.id:
            return f"{made.arguments['new_item']} is no other variant of {old.product}"
    return ""


def _say(desk: Desk, made: Call) -> tuple[Desk, JSON]:
    _check_claims(desk, made.arguments["text"])
    if desk.told:
        return desk, "I have told you all that I know."
    return replace(desk, told=True), script(desk.case)


def _finish(desk: Desk, made: Call) -> tuple[Desk, JSON]:
    text = made.arguments["text"]
    _check_claims(desk, text)
    owed = refund(desk.case)
    told = not owed or f"{owed / 100:.2f}" in text
    return replace(desk, over=told and desk.shop == expected(desk.case)), "Goodbye."


def _unmet(desk: Desk, text: str) -> tuple[str, str]:
    if desk.shop != expected(desk.case):
        return "goal_unmet", "the orders are not as they should be"
    return (
        "missing_information",
        f"the customer was not told the refund of {refund(desk.case) / 100:.2f}: {text[:80]!r}",
    )


def script(case: Case) -> str:
    """Everything that the customer has to say."""
    user = case.shop.users[case.user]
    wishes = "; and I want to ".join(wish.said for wish in case.wishes)
    return f"I am {user.name}, {user.email}. I want to {wishes}."


def _check_claims(desk: Desk, text: str) -> None:
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if found := _CLAIM.search(sentence):
            orders = re.findall(r"\bW\d{5}\b", sentence)
            done = [one for one in desk.done if one.startswith(_DONE_BY[found[1].casefold()])]
            if not done or not all(any(order in one for one in done) for order in orders):
                raise RuleError("false_claim", f"that was not done: {sentence[:120]!r}")


def _described(shop: Shop, order: Order) -> JSON:
    items = [asdict(shop.items[one]) for one in order.items]
    return {
        "order": order.id,
        "status": order.status,
        "items": items,
        "address": order.address,
        "payment": order.payment,
    }


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]


def _key(action: str) -> str:
    """A call whatever the order of its arguments and of the items in them."""
    name, _, arguments = action.partition(" ")
    plain = {key: sorted(one) if isinstance(one, list) else one for key, one in json.loads(arguments).items()}
    return f"{name} {json.dumps(plain, sort_keys=True)}"


def _same(one: str, other: str) -> bool:
    return _key(one) == _key(other)


_EFFECTS: Mapping[str, Callable[[Desk, Call], tuple[Desk, JSON]]] = {
    **dict.fromkeys(LOOKUPS, _look_up),
    **dict.fromkeys(WRITES, _write),
    "confirm": _confirm,
    "say": _say,
    "finish": _finish,
}
