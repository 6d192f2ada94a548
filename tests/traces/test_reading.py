"""Every known form of log gives the same trace of the same talk, and junk gives one sentence."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, messages_to_dict

from agentkit.errors import TraceError
from agentkit.traces import Trace, calls, read
from agentkit.traces.reading import FORMATS, Lines, detect

ASK, ANSWER = "What is the weather in Oslo?", "It is cloudy in Oslo."
ARGUMENTS, RESULT = {"city": "Oslo"}, {"sky": "cloudy", "celsius": 7}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)}}
OPENAI = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": ASK},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": json.dumps(RESULT)},
    {"role": "assistant", "content": ANSWER},
]
LEGACY = [
    *OPENAI[:2],
    {"role": "assistant", "content": None, "function_call": CALL["function"]},
    {"role": "function", "name": "weather", "content": json.dumps(RESULT)},
    OPENAI[-1],
]
RESPONSES = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_text", "text": ASK}]},
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": json.dumps(ARGUMENTS)},
    {"type": "function_call_output", "call_id": "c1", "output": json.dumps(RESULT)},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ANSWER}]},
]
ANTHROPIC = {
    "system": "Be brief.",
    "messages": [
        {"role": "user", "content": ASK},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": ARGUMENTS}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": json.dumps(RESULT)}]},
        {"role": "assistant", "content": [{"type": "text", "text": ANSWER}]},
    ],
}
LANGCHAIN = [
    SystemMessage("Be brief.", id="m0"),
    HumanMessage(ASK, id="m1"),
    AIMessage("", id="m2", tool_calls=[{"name": "weather", "args": ARGUMENTS, "id": "c1"}]),
    ToolMessage(json.dumps(RESULT), id="m3", tool_call_id="c1", name="weather"),
    AIMessage(ANSWER, id="m4"),
]
UPDATES = Lines(
    [
        {"agent": {"messages": [one.model_dump() for one in LANGCHAIN[:3]]}},
        {"tools": {"messages": [LANGCHAIN[3].model_dump()]}},
        {"agent": {"messages": [LANGCHAIN[4].model_dump()]}},
    ]
)
VALUES = [["values", {"messages": [one.model_dump() for one in LANGCHAIN[:end]]}] for end in (2, 3, 4, 5)]
EVENTS = [
    {"event": "on_chain_start", "name": "graph", "run_id": "r", "data": {"input": {}}},
    {
        "event": "on_chat_model_start",
        "run_id": "a",
        "data": {"input": {"messages": [[dumpd(m) for m in LANGCHAIN[:2]]]}},
    },
    {"event": "on_chat_model_end", "run_id": "a", "data": {"output": dumpd(LANGCHAIN[2])}},
    {"event": "on_tool_start", "name": "weather", "run_id": "t", "data": {"input": ARGUMENTS}},
    {"event": "on_tool_end", "name": "weather", "run_id": "t", "data": {"output": dumpd(LANGCHAIN[3])}},
    {"event": "on_chat_model_end", "run_id": "b", "data": {"output": dumpd(LANGCHAIN[4])}},
]
INSPECT = {
    "version": 2,
    "status": "success",
    "eval": {"task": "weather", "model": "m"},
    "samples": [
        {
            "id": 1,
            "epoch": 1,
            "input": ASK,
            "messages": [
                *OPENAI[:2],
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"id": "c1", "function": "weather", "arguments": ARGUMENTS}],
                },
                {"role": "tool", "tool_call_id": "c1", "function": "weather", "content": json.dumps(RESULT)},
                OPENAI[-1],
            ],
            "scores": {"match": {"value": "C"}},
        }
    ],
}
PARTS = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": ASK}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": ARGUMENTS}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": json.dumps(RESULT)}]},
    {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"},
]


def otlp(*spans):
    return {"resourceSpans": [{"scopeSpans": [{"spans": [*spans]}]}]}


def span(name, start, attributes=None, events=()):
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in (attributes or {}).items()]
    return {
        "traceId": "t1",
        "spanId": f"s{start}",
        "name": name,
        "startTimeUnixNano": str(start),
        "attributes": pairs,
        "events": [*events],
    }


def chat_span(start, given, drawn):
    told = {"gen_ai.input.messages": json.dumps(given), "gen_ai.output.messages": json.dumps(drawn)}
    return span("chat m", start, {"gen_ai.operation.name": "chat", **told})


TOOL_SPAN = span(
    "execute_tool weather",
    2,
    {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.call.arguments": json.dumps(ARGUMENTS),
        "gen_ai.tool.call.result": json.dumps(RESULT),
    },
)
OTEL = otlp(chat_span(3, PARTS[:4], PARTS[4:]), TOOL_SPAN, chat_span(1, PARTS[:2], PARTS[2:3]))


def old_event(name, body):
    return {"name": name, "attributes": [{"key": "gen_ai.event.content", "value": {"stringValue": json.dumps(body)}}]}


OLD = {"gen_ai.system": "openai"}
OLD_ASK = [old_event("gen_ai.system.message", OPENAI[0]), old_event("gen_ai.user.message", {"content": ASK})]
OLD_CALL = old_event("gen_ai.choice", {"index": 0, "message": OPENAI[2]})
OLD_REST = [
    old_event("gen_ai.assistant.message", OPENAI[2]),
    old_event("gen_ai.tool.message", {"id": "c1", "content": json.dumps(RESULT)}),
    old_event("gen_ai.choice", {"index": 0, "message": {"content": ANSWER}}),
]
OTEL_EVENTS = otlp(span("chat m", 1, OLD, [*OLD_ASK, OLD_CALL]), span("chat m", 3, OLD, [*OLD_ASK, *OLD_REST]))
OURS = {
    "run": {"id": "20261125-1", "graph": "g", "inputs": {"question": ASK}, "status": "succeeded", "output": {}},
    "events": [
        {"event": "RunStarted", "scope": {"run": "r", "node": ""}, "graph": "g"},
        {
            "event": "ToolCalled",
            "scope": {"node": "agent", "visit": 0},
            "name": "weather",
            "arguments": "{}",
            "result": "",
        },
        {
            "event": "NodeFinished",
            "scope": {"node": "assistant", "visit": 0, "path": ""},
            "use": "agent",
            "outputs": {
                "messages": [
                    *OPENAI[:2],
                    {
                        "role": "assistant",
                        "content": "",
                        "tool_calls": [{"id": "c1", "name": "weather", "arguments": json.dumps(ARGUMENTS)}],
                    },
                    {
                        "role": "tool",
                        "content": f"(result ab12)\n{json.dumps(RESULT)}\n(end of result ab12)",
                        "tool_call_id": "c1",
                    },
                    OPENAI[-1],
                ]
            },
        },
    ],
}
OURS["events"].pop(1)
LOGS = {
    "openai": OPENAI,
    "openai request": {"messages": OPENAI[:4], "choices": [{"message": OPENAI[4]}]},
    "legacy functions": LEGACY,
    "responses": RESPONSES,
    "langchain dumps": [one.model_dump() for one in LANGCHAIN],
    "langchain dicts": messages_to_dict(LANGCHAIN),
    "langchain constructors": {"messages": [dumpd(one) for one in LANGCHAIN]},
    "langgraph updates": UPDATES,
    "langgraph values": VALUES,
    "langgraph events": EVENTS,
    "inspect": INSPECT,
    "otel": OTEL,
    "otel without system": otlp(chat_span(3, PARTS[:4], PARTS[4:])),
    "otel events": OTEL_EVENTS,
    "agentkit": OURS,
    "tau": {"messages": OPENAI, "reward": 1.0, "instruction": "secret"},
    "agentrx": {
        "messages": OPENAI,
        "reward": 0.0,
        "labels": {"failures": [{"failure_id": 1, "step_number": 3}], "root_cause": {"failure_id": 1}},
    },
}


@pytest.mark.parametrize("name", LOGS)
def test_every_form_gives_the_same_steps(name):
    log = LOGS[name]
    text = "\n".join(json.dumps(line) for line in log) if isinstance(log, Lines) else json.dumps(log)
    (trace,) = read(text)
    assert [step.kind for step in trace.steps] == ["message", "message", "call", "result", "message"]
    assert (trace.task, trace.policy) == (ASK, "Be brief.")
    (call,) = calls(trace)
    assert (call.step.name, call.step.arguments, call.answer.result) == ("weather", ARGUMENTS, RESULT)
    assert trace.steps[4].text == ANSWER
    assert [step.agent for step in trace.steps][:3] == ["system", "user", "assistant"]


def test_anthropic_keeps_its_system_prompt_beside_the_talk():
    (trace,) = read(ANTHROPIC)
    assert [step.kind for step in trace.steps] == ["message", "call", "result", "message"]
    assert (trace.source, trace.policy, trace.task) == ("anthropic", "Be brief.", ASK)
    assert calls(trace)[0].answer.result == RESULT


def test_steps_of_agentrx_count_from_0_and_keep_their_number():
    (trace,) = read(LOGS["agentrx"])
    assert (trace.metadata["failures"][0]["step"], trace.metadata["root"]) == (2, 2)
    assert trace.steps[2].origin == 3
    assert trace.outcome is False


def test_who_and_when_tells_thoughts_from_speech():
    history = [
        {"role": "Orchestrator (thought)", "content": "Plan."},
        {"role": "user", "name": "Coder", "content": "print(1)"},
    ]
    history += [{"role": "user", "name": "Computer_terminal", "content": "exitcode: 1 (execution failed)"}]
    (trace,) = read({"question": "Q?", "history": history, "mistake_step": 1, "is_correct": False})
    assert [(step.agent, step.kind) for step in trace.steps] == [
        ("Orchestrator", "thought"),
        ("Coder", "message"),
        ("Computer_terminal", "result"),
    ]
    assert trace.metadata["mistake_step"] == 1


def test_parallel_calls_make_a_step_each_and_remember_their_message():
    calls_ = [{**CALL, "id": f"c{number}"} for number in range(3)]
    results = [{"role": "tool", "tool_call_id": f"c{number}", "content": str(number)} for number in (2, 0, 1)]
    (trace,) = read(
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": "so", "tool_calls": calls_}, *results]
    )
    assert [step.metadata.get("message", place) for place, step in enumerate(trace.steps)] == [0, 1, 1, 1, 2, 3, 4]
    assert [step.text for step in trace.steps[1:4]] == ["so", "", ""]
    assert [call.answer.result for call in calls(trace)] == ["0", "1", "2"]


def test_broken_arguments_are_kept_as_written():
    broken = {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "a", "arguments": '{"x": '}}]}
    (trace,) = read([broken])
    assert (trace.steps[0].arguments, trace.steps[0].metadata["raw"]) == (None, '{"x": ')


def test_an_otel_tool_that_failed_says_so():
    failed = {**TOOL_SPAN, "attributes": TOOL_SPAN["attributes"][:4], "status": {"code": 2, "message": "no such city"}}
    (trace,) = read(otlp(failed))
    assert [call.failed for call in calls(trace)] == [True]


def test_lines_of_several_talks_are_several_traces():
    found = read("\n".join(json.dumps({"messages": OPENAI, "id": name}) for name in "ab"))
    assert [trace.id for trace in found] == ["a", "b"]


def test_rows_of_langchain_talks_are_told_from_states_of_one():
    plain = [one.model_dump() for one in LANGCHAIN]
    states = "\n".join(json.dumps({"messages": plain[:end]}) for end in (2, 3, 5))
    assert [len(trace.steps) for trace in read(states)] == [5]
    talks = "\n".join(json.dumps({"messages": talk}) for talk in (plain, plain[1:]))
    assert [len(trace.steps) for trace in read(talks)] == [5, 4]


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        (b"\xff\xfe", "not UTF-8"),
        ("{", "not JSON"),
        ('{"a": 1}\n{', "line 2"),
        ("[]", "an empty list"),
        ('{"rows": 1}', "an object with the keys rows"),
        ('"text"', "str data"),
        ("[" * 300 + "]" * 300, "nested"),
        ('{"messages": []}', "no trace of an agent is recognised"),
    ],
)
def test_what_is_no_trace_is_refused_with_a_sentence(log, sentence):
    with pytest.raises(TraceError, match=sentence):
        read(log)


def test_a_form_that_is_not_there_is_named():
    with pytest.raises(TraceError, match="did you mean 'inspect'"):
        read(OPENAI, form="inspekt")
    with pytest.raises(TraceError, match="there is not an Inspect log"):
        read(OPENAI, form="inspect")


WORDS = sorted(
    {"role", "content", "tool_calls", "function", "arguments", "name", "id", "type", "messages", "history", "labels"}
    | {
        "failures",
        "step_number",
        "reward",
        "events",
        "event",
        "run",
        "scope",
        "node",
        "outputs",
        "data",
        "input",
        "samples",
    }
    | {"eval", "epoch", "scores", "resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "stringValue"}
    | {"gen_ai.input.messages", "gen_ai.choice", "parts", "kwargs", "output", "choices", "message", "root_cause"}
)
TEXTS = st.sampled_from(
    ["user", "assistant", "tool", "ai", "human", "constructor", "on_tool_start", "NodeFinished", "tool_use", "{", "[]"]
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(JUNK, st.sampled_from([None, *FORMATS]))
def test_junk_gives_a_trace_or_the_one_named_error(log, form):
    try:
        found = read(log, form=form)
    except TraceError:
        return
    assert all(isinstance(trace, Trace) and trace.steps for trace in found)


def mutated(value, draw):
    """The value with one part replaced by junk."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: mutated(value[key], draw)}
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], mutated(value[place], draw), *value[place + 1 :]]
    return draw(JUNK)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(sorted(LOGS)))
def test_a_damaged_log_gives_a_trace_or_the_one_named_error(data, name):
    try:
        read(mutated(LOGS[name], data.draw))
    except TraceError:
        return


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_give_a_trace_or_the_one_named_error(log):
    try:
        read(log)
    except TraceError:
        return


def test_every_form_is_found_by_its_marks():
    found = {name: detect(log) for name, log in LOGS.items()}
    assert found["openai"] == found["responses"] == "chat"
    assert found["tau"] == found["agentrx"] == "benchmark"
    assert {found[name] for name in found if name.startswith("lang")} == {"langchain"}
