"""A help desk to play, after tau-bench (Yao et al. 2024, arXiv 2406.12045), with a customer who needs no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from random import Random

from agentkit.environments import calls
from agentkit.environments.play import Move, Play, between, call, read_call
from agentkit.environments.retail import desk as rules
from agentkit.environments.retail.desk import LOOKUPS, POLICY, TOOLS, WRITES, Desk
from agentkit.environments.retail.shop import REASONS, Case, drawn
from agentkit.errors import ConfigError, InputError, did_you_mean
from agentkit.types import JSON

_TASK = """You are the help desk of a shop. A customer is on the line; do what they want as far as the policy allows, then finish.

Policy:
{policy}
8. If items are returned, say the sum of the refund, like 12.50, when you finish.

Tools:
{tools}

Write one call a step, like: find_user {{"email": "someone@mail.example"}}"""


@dataclass(frozen=True, kw_only=True)
class Retail:
    """Serve a customer with ``wishes`` wishes and ``distractors`` more orders; a share ``forbidden`` of them breaks the policy.

    A ``vague`` customer says what they want only when asked. Solved is the case whose database ends as it should.
    """

    wishes: int = 2
    distractors: int = 2
    forbidden: float = 0.2
    vague: bool = False

    def __post_init__(self) -> None:
        between("wishes", self.wishes, 1, 10)
        between("distractors", self.distractors, 0, 20)
        if not 0 <= self.forbidden <= 1:
            raise ConfigError(f"forbidden must be a share between 0 and 1, not {self.forbidden:g}")

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return tuple(_SLIPS)

    def start(self, seed: int) -> Play[Desk]:
        """The call of this seed."""
        told = "\n".join(
            f"{one.name} {dict(one.parameters['properties'])}: {one.description}" for one in TOOLS.values()
        )
        task = _TASK.format(policy=POLICY, tools=told)
        limit = 12 * self.wishes + 20
        return Play(world=self, task=task, state=self.begin(seed), limit=limit, tools=tuple(TOOLS.values()))

    def begin(self, seed: int) -> Desk:
        """The customer has said hello."""
        case = drawn(self.wishes, self.distractors, self.forbidden, self.vague, seed)
        hello = "Hello, I need help with an order." if case.vague else f"Hello. {rules.script(case)}"
        return Desk(case=case, shop=case.shop, heard=hello, last=hello, told=not case.vague)

    def solve(self, seed: int) -> tuple[str, ...]:
        """Look up, confirm, do, and say what was done; each wish in its turn."""
        case = self.begin(seed).case
        found = [call("say", text="How can I help you, and what is your e-mail address?")] if case.vague else []
        found.append(call("find_user", email=case.shop.users[case.user].email))
        listed: set[str] = set()
        for wish in case.wishes:
            found.append(call("get_order", order=wish.arguments["order"]))
            if wish.allowed:
                found += _done(case, wish.tool, wish.arguments, listed)
        owed = rules.refund(case)
        text = f"Your refund is {owed / 100:.2f}. Goodbye." if owed else "That is all that I can do. Goodbye."
        return (*found, call("finish", text=text))

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """The solution with a slip; raises ``InputError`` for an unknown kind."""
        if kind not in _SLIPS:
            raise InputError(
                f"there is no kind of error {kind!r}{did_you_mean(kind, _SLIPS)} (known: {', '.join(_SLIPS)})"
            )
        best = self.solve(seed)
        if not 0 <= step < len(best):
            return None
        return _SLIPS[kind](self.begin(seed).case, best, step, Random(f"{seed}/{kind}/{step}"))

    def show(self, state: Desk) -> str:
        """What customer or tool said last."""
        return state.last

    def data(self, state: Desk) -> JSON:
        """The orders, and what has been agreed to."""
        return {"user": state.user, "orders": {name: asdict(one) for name, one in state.shop.orders.items()}}

    def legal(self, state: Desk) -> tuple[str, ...]:
        """Too many to list."""
        return ()

    def move(self, state: Desk, text: str) -> Move[Desk]:
        """See ``desk``."""
        return rules.take(state, text)

    def ended(self, state: Desk) -> bool | None:
        """Once the desk has said goodbye."""
        return state.over


def _done(case: Case, tool: str, arguments: Mapping[str, object], listed: set[str]) -> list[str]:
    found = []
    if tool == "exchange_item":
        product = case.shop.items[str(arguments["item"])].product
        if product not in listed:
            found.append(call("list_variants", product=product))
            listed.add(product)
    found.append(call("confirm", tool=tool, arguments=arguments))
    return [*found, call(tool, **arguments)]


Slip = Callable[[Case, tuple[str, ...], int, Random], tuple[str, ...] | None]


def _tool(best: tuple[str, ...], step: int) -> str:
    return read_call(best[step])[0]


def _unknown_tool(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...]:
    return calls.replaced(best, step, calls.misnamed(best[step]))


def _bad_arguments(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    wrong = calls.without_argument(best[step])
    return None if wrong is None else calls.replaced(best, step, wrong)


def _unreadable(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...]:
    return calls.replaced(best, step, rng.choice(("Let me look that up!", "{}", "I will now cancel it.")), skip=0)


def _ungrounded(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    """An order or address of the right form that nobody has named."""
    name, arguments = read_call(best[step])
    if arguments and "email" in arguments:
        return calls.replaced(best, step, call(name, email=f"{rng.randint(1000, 9999)}@mail.example"))
    if arguments and "order" in arguments:
        return calls.replaced(best, step, call(name, **{**arguments, "order": f"W0{rng.randint(1000, 9999)}"}))
    return None


def _repeated(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    """A look-up, a question or a change once more; whatever the first time has changed, this finds nothing new."""
    if step == 0 or _tool(best, step - 1) not in (*LOOKUPS, *WRITES, "confirm"):
        return None
    return calls.replaced(best, step, best[step - 1], skip=0)


def _not_identified(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    return calls.replaced(best, step) if _tool(best, step) == "find_user" else None


def _unconfirmed(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    return calls.replaced(best, step) if _tool(best, step) == "confirm" else None


def _other_than_agreed(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    """The change that was agreed to, but with another argument."""
    name, arguments = read_call(best[step])
    if name != "cancel_order" or not arguments:
        return None
    other = next(one for one in REASONS if one != arguments["reason"])
    return calls.replaced(best, step, call(name, **{**arguments, "reason": other}))


def _policy(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    """What the customer wishes and the policy forbids, done all the same once the order is known."""
    denied = [wish for wish in case.wishes if not wish.allowed and wish.tool != "exchange_item"]
    found = [wish for wish in denied if call("get_order", order=wish.arguments["order"]) in best[:step]]
    wish = rng.choice(found) if found else None
    return None if wish is None else calls.replaced(best, step, wish.text, skip=0)


def _false_claim(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    """Cancelled, it is said, before anything was."""
    wish = next((one for one in case.wishes if one.text not in best[:step]), None)
    if wish is None:
        return None
    return calls.replaced(
        best, step, call("say", text=f"I have cancelled order {wish.arguments['order']} for you."), skip=0
    )


def _early(case: Case, best: tuple[str, ...], step: int, rng: Random) -> tuple[str, ...] | None:
    if not any(_tool(best, later) in WRITES for later in range(step, len(best))):
        return None
    return (*best[:step], call("finish", text="That is all. Goodbye."))


_SLIPS: Mapping[str, Slip] = {
    "unreadable": _unreadable,
    "unknown_tool": _unknown_tool,
    "bad_arguments": _bad_arguments,
    "ungrounded_argument": _ungrounded,
    "repeated_step": _repeated,
    "not_identified": _not_identified,
    "unconfirmed_write": _unconfirmed,
    "wrong_operation": _other_than_agreed,
    "policy_violation": _policy,
    "false_claim": _false_claim,
    "early_stop": _early,
}
