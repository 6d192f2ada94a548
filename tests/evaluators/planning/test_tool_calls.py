"""The calls of an agent: what cannot be right is found at its step, and what is right is left alone."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit import run_sync
from agentkit.errors import ConfigError, InputError
from agentkit.evaluators.planning.tool_calls import ToolCalls
from agentkit.testing.conformance import check_evaluator
from agentkit.types import Record

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "",
            "parameters": {"type": "object", "properties": properties, "required": required},
        },
    }
    for name, properties, required in (
        ("find_user", {"email": {"type": "string"}}, ["email"]),
        ("get_order", {"order_id": {"type": "string"}}, ["order_id"]),
        (
            "return_items",
            {
                "order_id": {"type": "string"},
                "item_ids": {"type": "array", "items": {"type": "string"}},
                "speed": {"type": "string", "enum": ["slow", "fast"]},
                "reason": {"type": "string"},
                "amount": {"type": "number", "minimum": 0},
            },
            ["order_id", "item_ids"],
        ),
    )
]
ORDERS = {
    "W100": {
        "order_id": "W100",
        "status": "delivered",
        "items": [{"item_id": "7001", "price": 120.5}, {"item_id": "7002", "price": 80}],
    },
    "W200": {"order_id": "W200", "status": "pending", "items": [{"item_id": "8001", "price": 33}]},
}


def system(text):
    return {"role": "system", "content": text}


def user(text):
    return {"role": "user", "content": text}


def says(text):
    return {"role": "assistant", "content": text}


def call(name, arguments, number):
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    function = {"name": name, "arguments": written}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}],
    }


def back(result, number):
    return {
        "role": "tool",
        "tool_call_id": f"c{number}",
        "content": result if isinstance(result, str) else json.dumps(result),
    }


def talk(*pairs, ask="I am ann@shop.org. Please return item 7001 of order W100, and tell me of order W200."):
    """A talk of calls and results, at messages 1, 3, 5, ..."""
    messages = [user(ask)]
    for number, (name, arguments, result) in enumerate(pairs):
        messages += [call(name, arguments, number), back(result, number)]
    return messages


GOOD = (
    ("find_user", {"email": "ann@shop.org"}, "ann_lee_77"),
    ("get_order", {"order_id": "W100"}, ORDERS["W100"]),
    ("get_order", {"order_id": "W200"}, ORDERS["W200"]),
    (
        "return_items",
        {"order_id": "W100", "item_ids": ["7001"], "speed": "fast", "reason": "no longer wanted"},
        {"status": "return requested"},
    ),
)


def found(messages, tools=TOOLS, **options):
    judge = ToolCalls(
        **{name: options.pop(name) for name in ("rules", "certain", "ignore", "free_text") if name in options}
    )
    row = {"messages": messages, "tools": tools, **options}
    line = judge.render(run_sync(judge.evaluate(judge.parse(row))))
    assert line["status"] == "scored"
    return [(one["code"], one["kind"], one["step"]) for one in line["findings"]], line


def only(messages, **options):
    marks, line = found(messages, **options)
    assert len(marks) == 1, line["findings"]
    return marks[0], line["findings"][0]


def test_calls_that_are_right_are_left_alone():
    marks, line = found(
        [*talk(*GOOD), says("I have returned item 7001 of order W100, which was delivered. Order W200 is pending.")]
    )
    assert marks == []
    assert (line["score"], line["label"], line["first_error"]) == (1.0, "no error found", None)


@pytest.mark.parametrize(
    ("name", "arguments", "mark"),
    [
        ("get_oder", {"order_id": "W100"}, ("unknown_action", "unknown_tool")),
        ("get_order", '{"order_id": ', ("bad_arguments", "malformed_json")),
        ("get_order", "[]", ("bad_arguments", "malformed_json")),
        ("get_order", {}, ("bad_arguments", "missing_argument")),
        ("get_order", {"order_id": "W100", "verbose": True}, ("bad_arguments", "extra_argument")),
        ("return_items", {"order_id": "W100", "item_ids": "7001"}, ("bad_arguments", "wrong_value")),
        (
            "return_items",
            {"order_id": "W100", "item_ids": ["7001"], "speed": "faster"},
            ("bad_arguments", "wrong_value"),
        ),
        ("get_order", {"order_id": "W300"}, ("ungrounded_argument", "identifier")),
        ("find_user", {"email": "ann.lee@shop.org"}, ("ungrounded_argument", "identifier")),
        ("find_user", {"email": "user@example.com"}, ("ungrounded_argument", "placeholder")),
        ("return_items", {"order_id": "W100", "item_ids": ["8001"]}, ("result_contradicted", "argument")),
        (
            "return_items",
            {"order_id": "W100", "item_ids": ["7001"], "amount": 977.13},
            ("ungrounded_argument", "number"),
        ),
    ],
)
def test_each_kind_of_wrong_call_is_found_at_its_message(name, arguments, mark):
    messages = talk(*GOOD[:3], (name, arguments, "done"))
    (code, kind, step), finding = only(messages)
    assert (code, kind, step) == (*mark, 7)
    assert finding["first"]
    assert finding["decisive"]
    assert finding["repair"]
    assert finding["taxonomy"].startswith("P")


@pytest.mark.parametrize(
    "arguments",
    [
        {"amount": 200.5},  # the sum of two prices that were seen
        {"amount": 241},  # twice a price
        {"reason": "The colour is not what ZX-9000 buyers expect, so it goes back."},
        {"speed": "slow"},
        {"item_ids": ["7001", "7002"]},
    ],
)
def test_sums_of_what_was_seen_choices_and_free_text_need_no_source(arguments):
    call_ = {"order_id": "w100", "item_ids": ["7001"], **arguments}
    assert found(talk(*GOOD[:3], ("return_items", call_, "done")))[0] == []


@pytest.mark.parametrize(
    ("argument", "value", "flagged"),
    [
        ("time", "14:30", False),
        ("duration", "45min", False),
        ("model", "gpt-4o", False),
        ("city", "San Francisco, CA", False),
        ("filename", "notes_2024.txt", False),
        ("first_name", "Ann", False),  # ann@shop.org says so
        ("first_name", "Roberta", True),
        ("order_id", 10_203, True),  # no sum of 10001 and 202 is an id
        ("url", "https://shop.org/orders", False),
        ("url", "https://elsewhere.example.net/x", True),
        ("note_id", 7, False),
        ("code", True, False),
    ],
)
def test_only_what_must_come_from_somewhere_needs_a_source(argument, value, flagged):
    ask = "I am ann@shop.org in San Francisco; see https://shop.org, half past two, 10001 and 202."
    marks, _ = found(talk(("tool", {argument: value}, "ok"), ask=ask), tools=["tool"])
    assert bool(marks) is flagged, marks


def test_values_are_known_from_the_policy_and_however_they_are_written():
    tools = []
    messages = [
        user("Book HAT 028 on May 20th, 2024 for $1,200"),
        call("book", {"flight": "HAT028", "date": "2024-05-20", "price": 1200.0, "desk": "D-77"}, 0),
        back("ok", 0),
    ]
    assert found(messages, tools=tools)[0] == [("ungrounded_argument", "identifier", 1)]
    assert found(messages, tools=tools, policy="All bookings go to desk D-77.")[0] == []
    assert found([system("Desk D-77."), *messages], tools=tools)[0] == []


def test_a_value_that_only_a_later_result_gives_was_used_too_early():
    early = ("get_order", {"order_id": "W900"}, "Error: no")
    messages = talk(early, ("find_user", {"email": "ann@shop.org"}, {"user_id": "ann_1", "orders": ["W900"]}))
    marks, line = found(messages)
    assert ("ungrounded_argument", "before_its_result", 1) in marks
    assert "step 3" in line["findings"][0]["reason"]


def test_a_repeated_call_counts_and_tells_its_cycle():
    pair = (GOOD[1], GOOD[2])
    marks, line = found(talk(*pair, *pair, *pair))
    assert [mark for mark in marks if mark[0] == "repeated_call"] == [
        ("repeated_call", "nothing_new", step) for step in (5, 7, 9, 11)
    ]
    last = line["findings"][-1]
    assert (last["times"], last["cycle"], last["steps"], last["looping"]) == (3, 2, [3, 7, 11], True)
    assert last["consequence_of"] == 7


def test_an_argument_that_a_result_gives_otherwise_is_a_contradiction():
    told = {"order_id": "W100", "user_id": "ann_1", "total": 120.5, "status": "delivered"}
    other = {"order_id": "W300", "user_id": "bob_2", "total": 77, "status": "pending"}
    start = (("get_order", {"order_id": "W100"}, told), ("get_order", {"order_id": "W300"}, other))

    def kinds(name, arguments):
        return found(talk(*start, (name, arguments, "ok"), ask="Orders W100 and W300"), tools=[])[0]

    wrong = [("result_contradicted", "argument", 5)]
    assert kinds("refund", {"order_id": "W100", "total": 77}) == wrong
    assert kinds("refund", {"order_id": "W100", "user_id": "bob_2"}) == wrong
    assert kinds("update_order", {"order_id": "W100", "user_id": "bob_2"}) == wrong
    assert kinds("refund", {"order_id": "W100", "total": 120.5, "user_id": "ann_1"}) == []
    assert kinds("update_order", {"order_id": "W100", "status": "pending"}) == []


def test_a_call_that_is_answered_otherwise_is_no_repetition():
    later = {**ORDERS["W200"], "status": "processed"}
    assert found(talk(GOOD[2], ("get_order", {"order_id": "W200"}, later)))[0] == []


def test_a_failed_call_made_again_unchanged_is_told_and_what_follows_undoes_it():
    bad = ("return_items", {"order_id": "W200", "item_ids": ["8001"]}, "Error: non-delivered order cannot be returned")
    marks, line = found(talk(*GOOD[:3], bad, bad, GOOD[3]))
    assert [mark for mark in marks if mark[2] == 9] == [
        ("repeated_call", "failed_again", 9),
        ("bad_arguments", "refused", 9),
    ]
    assert all(one["recovered"] for one in line["findings"])
    assert line["first_error"] == 7
    assert line["decisive_error"] is None


def test_the_system_itself_failing_is_not_the_agents_error():
    down = ("get_order", {"order_id": "W100"}, "Error: connection timed out, try again later")
    assert found(talk(down, GOOD[1]))[0] == []


def test_statements_and_counts_are_held_against_the_results():
    wrong = [*talk(*GOOD[:3]), says("Order W200: delivered.\nOrder W100 has 3 items.")]
    marks, line = found(wrong)
    assert marks == [("result_contradicted", "count", 7), ("result_contradicted", "statement", 7)]
    assert line["findings"][0]["repair"] == "count again what the result at step 4 lists: 2"
    assert line["findings"][1]["repair"] == "go by the result at step 6: status of W200 is 'pending'"
    stock = {
        "product_id": "P55",
        "variants": {f"v{n}": {"item_id": f"90{n}", "available": n > 2, "color": "blue"} for n in range(6)},
    }
    catalogue = [
        *talk(("get_product", {"product_id": "P55"}, stock), ask="What of P55?"),
        says("There are 4 available options."),
    ]
    assert found(catalogue, tools=[])[0] == [("result_contradicted", "count", 3)]
    for fair in (
        "There are 3 available options.",
        "There are 6 variants.",
        "There are 2 available blue ones.",
        "It costs $4.4 available now.",
    ):
        assert found([*catalogue[:-1], says(fair)], tools=[])[0] == [], fair


@pytest.mark.parametrize(
    "text",
    [
        "Would you like order W200 to be delivered?",
        "Once order W200 is delivered you can return it if you like.",
        "Order W100 is delivered.",
    ],
)
def test_questions_plans_and_truths_are_no_contradictions(text):
    assert found([*talk(*GOOD[:3]), says(text)])[0] == []


def test_a_deed_that_was_claimed_and_never_done_is_told():
    claim = says("I have successfully returned item 7001 of order W100.")
    assert found([*talk(*GOOD[:3]), claim])[0] == [("result_contradicted", "claimed_act", 7)]
    assert found([*talk(*GOOD), claim])[0] == []
    failed = (*GOOD[3][:2], "Error: the system is down, connection timed out")
    assert found([*talk(*GOOD[:3], failed), claim])[0] == [("result_contradicted", "claimed_act", 9)]
    for fair in (
        "Once I have returned it you get a mail.",
        "Shall I say that it has been returned?",
        "It has been delivered.",
    ):
        assert found([*talk(*GOOD[:3]), says(fair)])[0] == [], fair


def test_what_rests_on_an_invented_value_is_its_consequence():
    messages = talk(
        ("get_order", {"order_id": "W555"}, {"order_id": "W555", "batch": "B-321"}),
        ("get_batch", {"batch": "B-321", "site": "S-999"}, "ok"),
    )
    marks, line = found(messages, tools=[])
    assert [mark[2] for mark in marks] == [1, 3]
    assert [one["consequence_of"] for one in line["findings"]] == [None, 1]


RULES = {
    "never": ([{"never": "return_*", "because": "returns are closed"}], [GOOD[3]], 1),
    "never where": ([{"never": {"call": "return_items", "where": 'arguments.speed == "fast"'}}], [GOOD[3]], 1),
    "always": (
        [{"always": {"call": "return_items", "where": 'facts[arguments.order_id].status == "pending"'}}],
        [*GOOD],
        7,
    ),
    "always, unknown": (
        [{"always": {"call": "return_items", "where": 'facts[arguments.order_id].status == "delivered"'}}],
        [GOOD[3]],
        1,
    ),
    "before": ([{"before": {"first": "find_user", "then": "get_order"}}], [GOOD[1], GOOD[0]], 1),
    "before, same": (
        [{"before": {"first": "get_order", "then": "return_items", "same": "order_id"}}],
        [GOOD[2], GOOD[3]],
        3,
    ),
    "after": ([{"after": {"call": "return_items", "then": ["find_user"]}}], [*GOOD], 7),
    "at most": ([{"at_most": {"call": "get_order", "times": 1}}], [*GOOD], 5),
    "confirmation": ([{"requires_confirmation": ["return_items"]}], [*GOOD], 7),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_broken_at_its_step(name):
    given, pairs, step = RULES[name]
    (code, _, at), finding = only(talk(*pairs), rules=given)
    assert (code, at) == ("constraint_violation", step)
    assert finding["repair"]
    rows, _ = found(talk(*pairs), policy=given)
    assert rows == [("constraint_violation", finding["kind"], step)]


def test_rules_that_are_kept_find_nothing():
    given = [
        {"never": "delete_*"},
        {"always": {"call": "return_items", "where": 'facts[arguments.order_id].status == "delivered"'}},
        {"before": {"first": "get_order", "then": "return_items", "same": ["order_id"]}},
        {"at_most": {"call": "get_order", "times": 1, "per": ["order_id"]}},
        {"after": {"call": "find_user", "then": "get_order"}},
    ]
    assert found(talk(*GOOD), rules=given)[0] == []


@pytest.mark.parametrize(
    ("asked", "answer", "kept"),
    [
        ("I will return 7001, yes?", "Yes, please.", True),
        ("I will return 7001, yes?", "No, wait.", False),
        (None, "Yes!", False),
    ],
)
def test_consent_is_a_yes_to_what_the_agent_said(asked, answer, kept):
    messages = [
        *talk(*GOOD[:3]),
        *([says(asked)] if asked else []),
        user(answer),
        call(*GOOD[3][:2], 9),
        back("done", 9),
    ]
    marks, _ = found(messages, rules=[{"requires_confirmation": "return_items"}])
    assert (marks == []) is kept


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"nevr": "x"}, "rule 1 must have one of never, always.*did you mean 'never'"),
        ({"always": "x"}, "always needs 'where'"),
        ({"never": {"call": "x", "were": "1"}}, "never takes no 'were'; did you mean 'where'"),
        ({"never": {"call": "x", "where": "argument.a > 1"}}, "no 'argument' in a condition; did you mean 'arguments'"),
        ({"never": {"call": "x", "where": "1 +"}}, "is not an expression"),
        ({"at_most": {"call": "x", "times": "two"}}, "'times' must be a whole number"),
        ({"before": {"then": "x"}}, "before: first must name a tool"),
        ("never x", "rule 1 must have one of"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_number(rule, sentence):
    with pytest.raises(ConfigError, match=sentence):
        ToolCalls(rules=[rule])
    with pytest.raises(InputError, match=sentence):
        ToolCalls().parse({"messages": talk(*GOOD), "rules": [rule]})


def test_certainty_and_codes_can_be_left_out():
    messages = talk(GOOD[1], GOOD[1])
    assert found(messages, certain=0.9)[0] == []
    assert found(messages, ignore=["repeated_call"])[0] == []
    assert found(messages)[0] != []


def test_a_row_without_messages_is_refused_and_a_talk_without_calls_is_clean():
    with pytest.raises(InputError, match="no trace of an agent"):
        ToolCalls().parse({"tools": []})
    assert found([user("hi"), says("hello")])[0] == []
    assert found([])[0] == []


async def test_it_keeps_the_contract_of_evaluators():
    await check_evaluator(ToolCalls)
    await check_evaluator(ToolCalls, record=Record(output=talk(*GOOD), metadata={"tools": TOOLS}))


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["id", "order_id", "status"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), SHAPES, SHAPES), max_size=5), st.text(max_size=60), SHAPES)
def test_any_talk_gives_findings_at_messages_that_are_there(pairs, text, schema):
    messages = [*talk(*pairs, ask=text), says(text)]
    tools = [{"name": "a", "parameters": schema}] if isinstance(schema, dict) else []
    marks, line = found(messages, tools=tools, certain=0.0)
    assert all(0 <= step < len(messages) for _, _, step in marks)
    assert sum(one["first"] for one in line["findings"]) >= (1 if marks else 0)
    json.dumps(line, default=str)


KINDS = ("unknown", "missing", "invented", "repeated", "swapped")


def injected(rng: Random) -> tuple[list, str, int]:
    """A right talk over random orders, spoilt in one way at one call, and the message where that is."""
    orders = {}
    for _ in range(rng.randint(2, 5)):
        name = f"W{rng.randint(10_000, 99_999)}"
        items = [
            {"item_id": str(rng.randint(10**6, 10**7)), "price": rng.randint(100, 900)}
            for _ in range(rng.randint(1, 3))
        ]
        orders[name] = {"order_id": name, "status": rng.choice(["pending", "delivered"]), "items": items}
    pairs = [("find_user", {"email": "ann@shop.org"}, {"orders": list(orders)})]
    pairs += [("get_order", {"order_id": name}, order) for name, order in orders.items()]
    pairs += [
        ("return_items", {"order_id": n, "item_ids": [o["items"][0]["item_id"]]}, f"returned {n}")
        for n, o in orders.items()
    ]
    kind, place = rng.choice(KINDS), rng.randint(1, len(orders))
    name, arguments, _ = pairs[place]
    if kind == "unknown":
        pairs[place] = (f"{name}s", arguments, "Error: there is no such tool")
    elif kind == "missing":
        pairs[place] = (name, {}, "Error: order_id is required")
    elif kind == "invented":
        pairs[place] = (name, {"order_id": f"W{rng.randint(10**6, 10**7)}"}, "Error: order not found")
    elif kind == "repeated":
        place += 1
        pairs.insert(place, pairs[place - 1])
    else:
        place = len(orders) + 1
        (_, first, _), other = pairs[place], pairs[place + 1][1]
        pairs[place] = ("return_items", {**first, "item_ids": other["item_ids"]}, "returned")
    return talk(*pairs, ask="I am ann@shop.org, return the first item of each of my orders."), kind, 2 * place + 1


CODES = {
    "unknown": "unknown_action",
    "missing": "bad_arguments",
    "invented": "ungrounded_argument",
    "repeated": "repeated_call",
    "swapped": "result_contradicted",
}


@pytest.mark.parametrize("seed", range(120))
def test_an_error_injected_at_a_step_is_the_first_that_is_found(seed):
    messages, kind, step = injected(Random(seed))
    marks, line = found(messages)
    assert line["first_error"] == step, (kind, marks)
    assert CODES[kind] in {code for code, _, at in marks if at == step}
