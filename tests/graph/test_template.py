"""Templates: the small language, its refusals, and its bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import TemplateError
from agentkit.graph.template import MAX_OUTPUT, parse


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("plain", {}, "plain"),
        ("Hello {{name}}!", {"name": "Ann"}, "Hello Ann!"),
        ("{{ a.b }}", {"a": {"b": 3}}, "3"),
        ("{{a}}", {"a": None}, ""),
        ("{{a}}", {"a": [1, "ü"]}, '[1, "ü"]'),
        ("{{a}}", {"a": True}, "true"),
        ("{{a}}", {"a": 0.5}, "0.5"),
        ("{{#xs}}{{number}}:{{.}};{{/xs}}", {"xs": ["a", "b"]}, "1:a;2:b;"),
        ("{{#xs}}{{t}} {{q}} {{/xs}}", {"xs": [{"t": 1}, {"t": 2}], "q": "?"}, "1 ? 2 ? "),
        ("{{#x}}yes{{/x}}{{^x}}no{{/x}}", {"x": 1}, "yes"),
        ("{{#x}}yes{{/x}}{{^x}}no{{/x}}", {"x": []}, "no"),
        ("{{#x}}yes{{/x}}{{^x}}no{{/x}}", {}, "no"),
        ("{{#x}}{{y}}{{/x}}", {"x": {"y": 5}}, "5"),
        ("{{#xs}}{{#ys}}{{.}}{{/ys}},{{/xs}}", {"xs": [{"ys": [1, 2]}, {"ys": [3]}]}, "12,3,"),
        ("{{! a remark }}x", {}, "x"),
        (r"\{{name}} \{% raw %}", {}, "{{name}} {% raw %}"),
        ("a } b { c %} {x} ${y} $(z) %(q)s", {}, "a } b { c %} {x} ${y} $(z) %(q)s"),
        ("a\n{{#xs}}\n- {{.}}\n{{/xs}}\nb", {"xs": [1, 2]}, "a\n- 1\n- 2\nb"),
        ("a\n  {{! alone }}  \nb", {}, "a\nb"),
    ],
)
def test_the_language(template: str, values: dict[str, Any], text: str) -> None:
    assert parse(template).render(values) == text


@pytest.mark.parametrize(
    ("template", "line", "column", "sentence"),
    [
        ("{{a", 1, 1, "'{{' is never closed"),
        ("x\n {{#a}}", 2, 2, "{{#a}} is never closed with {{/a}}"),
        ("{{/a}}", 1, 1, "{{/a}} closes nothing"),
        ("{{#a}}{{#b}}{{/a}}", 1, 13, "{{/a}} stands where {{/b}} should close"),
        ("{{7*7}}", 1, 1, "{{7*7}} is not a name"),
        ("{{a()}}", 1, 1, "is not a name"),
        ("{{a|b}}", 1, 1, "is not a name"),
        ("{{a['b']}}", 1, 1, "is not a name"),
        ("{{__class__}}", 1, 1, "is not a name"),
        ("{{a.__class__}}", 1, 1, "is not a name"),
        ("{{{a}}}", 1, 1, "is not a name"),
        ("{{}}", 1, 1, "is not a name"),
        ("{{> partial}}", 1, 1, "is not a name"),
        ("{% for x in y %}", 1, 1, "'{%' is not part of the template language"),
        ("{{#a}}" * 9, 1, 49, "nested more than 8 deep"),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_its_place(
    template: str, line: int, column: int, sentence: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(template)
    assert sentence in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_an_absent_value_is_an_error_and_not_an_empty_text() -> None:
    with pytest.raises(TemplateError, match="has no value; did you mean 'name'"):
        parse("{{nmae}}").render({"name": 1})
    with pytest.raises(TemplateError, match=r"\{\{a\.c\}\} has no value"):
        parse("{{a.c}}").render({"a": {"b": 1}})


def test_values_are_looked_up_in_data_and_never_in_objects() -> None:
    class Secret:
        key = "canary"

    with pytest.raises(TemplateError):
        parse("{{a.key}}").render({"a": Secret()})
    with pytest.raises(TemplateError):
        parse("{{a.upper}}").render({"a": "text"})


def test_the_output_is_bounded() -> None:
    with pytest.raises(TemplateError, match="longer than 1,000,000"):
        parse("{{a}}{{a}}").render({"a": "x" * MAX_OUTPUT})
    with pytest.raises(TemplateError, match="more than 20,000 pieces"):
        parse("{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}").render({"a": [1] * 100})


def test_the_source_is_bounded() -> None:
    with pytest.raises(TemplateError, match="longer than 64,000"):
        parse("x" * 64_001)


@settings(max_examples=200)
@given(st.text())
def test_inserted_text_is_never_read_again(text: str) -> None:
    assert parse("[{{a}}]").render({"a": text, "x": "never"}) == f"[{text}]"


@settings(max_examples=300)
@given(st.text(alphabet="{}%#^/!.ab \n\\"), st.dictionaries(st.sampled_from("ab"), st.lists(st.integers(), max_size=2)))
def test_any_template_renders_or_is_refused(template: str, values: dict[str, Any]) -> None:
    try:
        text = parse(template).render(values)
    except TemplateError as error:
        text = str(error)
    assert isinstance(text, str)
