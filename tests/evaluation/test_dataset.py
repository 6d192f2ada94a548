"""Records are checked at the door: every problem of a file at once, each with its line."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import InputError
from agentkit.evaluation import Dataset, load_dataset
from agentkit.evaluation.dataset import as_dataset
from agentkit.types import Document, Record


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "data.jsonl"
        path.write_bytes(b"".join(line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines))
        return path

    return write


def problems_of(path, **settings):
    with pytest.raises(InputError) as caught:
        load_dataset(path, **settings)
    return [(one.line, one.message) for one in caught.value.problems]


def test_records_are_read_with_all_their_fields(write):
    path = write(
        '{"id": 7, "input": {"question": "How many?"}, "target": ["4", "four"], "metadata": {"topic": "sums"},'
        ' "documents": ["plain text", {"text": "titled", "title": "A page"}], "output": "4"}',
        "",
        '{"input": "Кто?"}',
    )
    first, second = load_dataset(path)
    assert first == Record(
        id="7",
        input={"question": "How many?"},
        output="4",
        target=["4", "four"],
        documents=(Document(text="plain text"), Document(text="titled", title="A page")),
        metadata={"topic": "sums"},
    )
    assert second.input == "Кто?"


def test_an_id_made_from_content_stays_when_lines_move(write):
    lines = ['{"input": "a"}', '{"input": "b", "target": "2"}']
    ids = [record.id for record in load_dataset(write(*lines))]
    assert [record.id for record in load_dataset(write(*reversed(lines)))] == ids[::-1]
    assert load_dataset(write('{"target": "2", "input": "b"}')).records[0].id == ids[1]


def test_every_problem_of_a_file_is_told_at_once(write):
    path = write(
        '{"input": "fine", "id": "a"}',
        '{"input": "broken"',
        '{"inptu": "misspelt"}',
        '{"target": "4"}',
        '{"input": "again", "id": "a"}',
        '["not an object"]',
        '{"input": "x", "input": "y"}',
        '{"input": NaN}',
        b'{"input": "\xff"}\n',
        '{"input": "x", "answer": 4}',
        '{"input": "x", "documents": [{"text": "d", "titel": "t"}]}',
        '{"input": "x", "documents": [{"title": "t"}]}',
        '{"input": ' + "[" * 500 + "]" * 500 + "}",
        '{"input": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"input": "x", "metadata": 3}',
    )
    assert problems_of(path) == [
        (2, "not JSON: Expecting ',' delimiter"),
        (3, "unknown key 'inptu'; did you mean 'input'?"),
        (4, "no 'input'"),
        (5, "the id 'a' is that of line 1; every record needs its own"),
        (6, "a record must be a JSON object with an 'input'"),
        (7, "the key 'input' is written twice"),
        (8, "NaN is not a JSON number"),
        (9, "not UTF-8 text (byte 12 of the line)"),
        (10, "unknown key 'answer'; data of your own goes under metadata"),
        (11, "unknown key 'titel'; did you mean 'title'?"),
        (12, "Field required"),
        (13, "nested more than 100 deep"),
        (14, "nested too deep"),
        (15, "Input should be a valid dictionary"),
    ]


def test_a_problem_names_file_line_and_column(write):
    path = write('{"input": "fine"}', '{"input": oops}')
    with pytest.raises(InputError, match=r"data\.jsonl:2:11: not JSON: Expecting value"):
        load_dataset(path)


def test_a_thousand_problems_are_counted_and_twenty_shown(write):
    with pytest.raises(InputError) as caught:
        load_dataset(write(*["oops"] * 1000))
    assert len(str(caught.value).splitlines()) == 21
    assert str(caught.value).endswith("... and 980 more problems")
    assert len(caught.value.problems) == 1000


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_records_is_refused(tmp_path, content):
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match="holds no records"):
        load_dataset(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no data set at"):
        load_dataset(tmp_path / "nowhere.jsonl")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load_dataset(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_are_read(write):
    assert len(load_dataset(write(b'\xef\xbb\xbf{"input": "a"}\r\n{"input": "b"}\r\n'))) == 2


def test_columns_name_the_fields_of_other_files(write):
    path = write('{"question": "2+2?", "answer": "4", "level": 1}')
    (record,) = load_dataset(path, columns={"input": "question", "target": "answer"})
    assert (record.input, record.target, record.metadata) == ("2+2?", "4", {"level": 1})
    assert problems_of(path, columns={"input": "qestion"}) == [(1, "no key 'qestion'; did you mean 'question'?")]
    with pytest.raises(InputError, match="no field 'inputs'; did you mean 'input'"):
        load_dataset(path, columns={"inputs": "question"})


def test_records_made_in_python_get_ids_and_must_not_share_one():
    dataset = as_dataset([Record(input="a"), Record(input="b", id="own")])
    assert isinstance(dataset, Dataset)
    assert [bool(record.id) for record in dataset] == [True, True]
    with pytest.raises(InputError, match="records 0 and 1 have the same id"):
        as_dataset([Record(input="a"), Record(input="a")])


def test_the_digest_changes_with_any_record():
    one, other = as_dataset([Record(input="a")]), as_dataset([Record(input="a", target="b")])
    assert one.digest == as_dataset([Record(input="a")]).digest != other.digest


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(plain_values.filter(lambda value: value is not None), min_size=1, max_size=5, unique_by=json.dumps))
def test_whatever_json_holds_comes_back(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text("\n".join(json.dumps({"input": value}) for value in values))
    assert [record.input for record in load_dataset(path)] == values


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_an_input_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "junk.jsonl"
    path.write_bytes(data)
    with suppress(InputError):
        load_dataset(path)
