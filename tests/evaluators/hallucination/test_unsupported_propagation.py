"""What rests on a statement that nothing supports."""

from agentkit.evaluators.hallucination.unsupported_propagation import UnsupportedPropagation
from agentkit.kit import Kit
from agentkit.traces import read
from agentkit.types import Document, Record

JUDGE = UnsupportedPropagation(encoder="none")


def call(number: str, name: str, arguments: str):
    made = {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [made]}


INVENTED = [
    {"role": "user", "content": "Where is my parcel? My name is Ada Brown."},
    call("a", "find_customer", '{"name": "Ada Brown"}'),
    {"role": "tool", "tool_call_id": "a", "content": '{"customer": "C-118", "city": "Leeds"}'},
    {"role": "assistant", "content": "Your parcel PX-90417 left the depot in York on 3 May 2024."},
    call("b", "track", '{"parcel": "PX-90417"}'),
    {"role": "tool", "tool_call_id": "b", "content": '{"error": "no such parcel"}'},
    {"role": "assistant", "content": "You live in Leeds."},
]


def judge(messages, *documents: str):
    return JUDGE.judge(read({"messages": messages})[0], [Document(text=text) for text in documents])


def test_an_invented_value_is_found_with_the_steps_that_use_it():
    score = judge(INVENTED)
    [finding] = score.findings
    assert (finding.code, finding.step, finding.agent) == ("unsupported_statement", 3, "assistant")
    assert INVENTED[3]["content"][finding.start : finding.end] == finding.text
    assert "PX-90417" in finding.metadata["values"]
    assert finding.metadata["consequences"] == [4, 5]
    assert score.label == "unsupported"
    assert score.metadata["resting"] == [4, 5]


def test_what_a_tool_or_a_document_said_is_supported():
    given = 'Parcel "PX-90417" left the depot in York on 3 May 2024.'
    assert judge(INVENTED, given).findings == ()
    told = [*INVENTED[:2], {**INVENTED[2], "content": given}, *INVENTED[3:]]
    assert judge(told).value == 1.0


def test_a_later_statement_that_rests_on_an_earlier_one_says_so():
    again = {"role": "assistant", "content": "Parcel PX-90417 will arrive on 9 June 2024 with courier Hale."}
    score = judge([*INVENTED, again])
    assert [one.metadata["rests_on"] for one in score.findings] == [[], [3]]
    assert score.metadata["unsupported"] == [3, 7]
    assert score.value == 1 - 3 / 5


def test_questions_and_plain_talk_are_no_findings():
    talk = {"role": "assistant", "content": "Thank you for waiting! How can I help you with your parcel?"}
    assert judge([INVENTED[0], talk]).findings == ()


def test_a_sum_a_label_and_a_name_in_other_company_came_from_somewhere():
    asked = {"role": "user", "content": "Two nights at $120 and one at $90 in Leeds for Ada Brown, please."}
    told = {"role": "assistant", "content": "**New Total Price:** $210 for Brown."}
    assert judge([asked, told]).findings == ()


def test_a_trace_without_an_agent_and_an_output_without_a_trace_are_unscored():
    assert judge(INVENTED[:1]).status == "unscored"


async def test_it_is_an_evaluator_of_rows_like_the_other_judges_of_traces():
    with Kit() as kit:
        evaluator = kit.evaluator("unsupported_propagation", encoder="none")
        record = evaluator.parse({"id": "x", "messages": INVENTED, "documents": ["Nothing of that."]})
        line = evaluator.render(await evaluator.evaluate(record))
        assert (line["unsupported"], line["resting"]) == ([3], [4, 5])
        assert line["findings"][0]["values"]
        assert (await evaluator.evaluate(Record(output=7))).status == "unscored"
