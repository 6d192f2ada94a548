import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.answers import canonical, extract

ANY = [
    ("So Tom has 7 apples.", "7"),
    ("The capital of France is Paris.", "Paris"),
    ("3 + 4 = 7\nThe answer is 3 + 4 = 7.", "7"),
    ("Therefore, the answer is (B).", "(B)"),
    ("Answer: 42", "42"),
    ("Answer:\n\n42", "42"),
    ("**Final Answer:** $1,234", "$1,234"),
    ("Сложим.\nОтвет: 7 яблок.", "7 яблок"),
    ("#### 18", "18"),
    (r"Hence \boxed{\frac{1}{2}}, as wanted. The answer is 3.", r"\frac{1}{2}"),
    ("<answer>Paris</answer> is my answer is London", "Paris"),
    ("The answer is 7. Then we check 8.", "7"),
    ("The answer is 7 because 3 + 4 is 7.", "7"),
    ("The answer is 5. No, the answer is 6.", "6"),
    ("<think>the answer is 5</think> Six", "Six"),
    ("A: 05/01/2021", "05/01/2021"),
    ("Answer: Yes, because 5 > 4", "Yes"),
    ("Thus the total cost is $1,234.50.", "$1,234.50"),
    ("I think it's about 12 km", "12 km"),
    ("The U.S. has 50 states.", "50"),
    ("Дней в неделе семь", "семь"),
    ("Paris", "Paris"),
]


@pytest.mark.parametrize(("completion", "answer"), ANY)
def test_the_final_answer_is_found_without_knowing_its_kind(completion, answer):
    assert extract(completion) == answer


KINDS = [
    ("number", "Tom has 3 and buys 4, so 7 in all.", "7"),
    ("number", "The answer is seven", "seven"),
    ("choice", "It is not (D). The answer is C) Paris", "C"),
    ("choice", "A good one is B", "B"),
    ("yes_no", "Yes, since there is no doubt", "Yes"),
    ("yes_no", "Нет, это не так", "Нет"),
    ("date", "Today is Sep 9, 1909. Therefore, the date today is 09/09/1909.", "09/09/1909"),
    ("date", "10/14/2018 (assuming the anniversary is on 03/03/2018)", "10/14/2018"),
    ("text", "The answer is simple: go home.", "The answer is simple: go home."),
]


@pytest.mark.parametrize(("kind", "completion", "answer"), KINDS)
def test_the_last_thing_of_its_kind_is_the_answer(kind, completion, answer):
    assert extract(completion, kind) == answer


ABSTENTIONS = [
    ("auto", ""),
    ("auto", "---"),
    ("auto", "I'm sorry, I cannot answer without the current date."),
    ("auto", "N/A"),
    ("number", "no idea"),
    ("date", "Therefore, the date is MM/DD/2002."),
    ("choice", "none of these"),
    ("auto", "<think>the answer is 5"),
]


@pytest.mark.parametrize(("kind", "completion"), ABSTENTIONS)
def test_what_cannot_be_read_is_an_abstention(kind, completion):
    assert extract(completion, kind) is None


def test_of_a_completion_that_was_cut_off_only_a_stated_answer_counts():
    assert extract("First we add 3 and 4, which", stated=True) is None
    assert extract("The answer is 7. To see this", stated=True) == "7"
    assert extract("Any words", "text", stated=True) == "Any words"


def test_the_sentence_of_a_model_and_the_bare_date_meet():
    said = extract("So the date one week ago in MM/DD/YYYY is 08/25/2021.")
    assert canonical(said) == canonical("Aug. 25th, 2021")


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["auto", "number", "date", "choice", "set", "math", "yes_no", "text"]))
def test_whatever_the_text_an_answer_is_never_blank(text, kind):
    found = extract(text, kind)
    assert found is None or found.strip()


@given(st.integers(-(10**9), 10**9))
def test_a_stated_number_is_found_whatever_follows(value):
    assert canonical(extract(f"Some steps, 12 of them.\nThe answer is {value:,}. I hope 99 helps.")) == str(value)
