"""The result file: what it held it holds, whatever happened to the disk, the process or the release."""

import json
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import EvaluationError, StoreError
from agentkit.evaluation.results import NAME, ResultFile, read_results
from agentkit.evaluation.row import SCHEMA, Header, Row
from agentkit.runtime.redact import Redactor
from agentkit.types import Evidence, Finding, Score, Usage

HEADER = Header(name="sums", task="t", dataset="d", evaluators={"match": "Match()"})
ROW = Row(
    id="a",
    cluster="a",
    input={"question": "Сколько?"},
    target=["4"],
    output={"answer": "4 \ud800", "votes": {"4": 3}},
    usage=Usage(calls=2, seconds=0.5),
    seconds=1.25,
    scores={
        "match": Score(
            value=0.5,
            findings=(Finding(code="x", message="m", start=1, end=2, evidence=Evidence(document=0, start=1, end=3)),),
            metadata={"answer": "4"},
        )
    },
)


def opened(folder, header=HEADER, **options):
    return ResultFile(folder, header, redactor=Redactor(), **options)


def test_a_row_comes_back_as_it_went_in(tmp_path):
    with opened(tmp_path) as file:
        file.append(ROW)
    results = read_results(tmp_path)
    assert results.rows == (ROW,)
    assert results.header == HEADER
    assert results == read_results(tmp_path / NAME)
    assert not (tmp_path / "results.lock").exists()


def test_a_row_is_in_the_file_before_the_next_is_taken(tmp_path):
    with opened(tmp_path) as file:
        file.append(ROW)
        assert read_results(tmp_path).rows == (ROW,)


@given(st.integers(min_value=0))
def test_a_file_cut_anywhere_gives_back_its_whole_lines(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("cut")
    with opened(folder) as file:
        for name in ("a", "b", "c"):
            file.append(Row(id=name))
    path = folder / NAME
    data = path.read_bytes()
    kept = data[: cut % (len(data) + 1)]
    path.write_bytes(kept)
    whole = kept.count(b"\n")
    with opened(folder) as file:
        assert [row.id for row in file.rows] == ["a", "b", "c"][: max(0, whole - 1)]
        file.append(Row(id="d"))
    assert [row.id for row in read_results(folder).rows] == [*["a", "b", "c"][: max(0, whole - 1)], "d"]


def test_a_line_damaged_in_the_middle_is_named(tmp_path):
    with opened(tmp_path) as file:
        for name in ("a", "b"):
            file.append(Row(id=name))
    path = tmp_path / NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'{"id": \n' + lines[2])
    with pytest.raises(StoreError, match=r"results\.jsonl:2 is not a result line"):
        opened(tmp_path)
    path.write_bytes(lines[0] + b'{"id": 7}\n')
    with pytest.raises(StoreError, match=r"results\.jsonl:2 is not a result line"):
        read_results(tmp_path)
    with opened(tmp_path, fresh=True) as file:
        assert file.rows == ()


def test_a_second_writer_is_refused_and_the_first_goes_on(tmp_path):
    with opened(tmp_path) as file:
        with pytest.raises(StoreError, match="already being run"):
            opened(tmp_path)
        file.append(ROW)
    assert read_results(tmp_path).rows == (ROW,)


def test_a_file_of_another_format_is_refused_by_name(tmp_path):
    path = tmp_path / NAME
    path.write_text(json.dumps({"schema": "agentkit-results/v9"}) + "\n")
    with pytest.raises(
        StoreError, match=r"this release reads \(agentkit-results/v1\): its schema is 'agentkit-results/v9'"
    ):
        read_results(tmp_path)
    path.write_text("[]\n")
    with pytest.raises(StoreError, match="its schema is None"):
        opened(tmp_path)


def test_a_file_of_the_first_release_still_loads(tmp_path):
    lines = [
        {"schema": "agentkit-results/v1", "name": "sums", "evaluators": {"match": "Match()"}, "later": 1},
        {
            "id": "a",
            "repeat": 1,
            "attempt": 2,
            "cluster": "c",
            "input": "2+2?",
            "target": "4",
            "output": {"answer": "4"},
            "scores": {"match": {"value": 1.0, "status": "scored", "findings": [], "later": True}},
            "usage": {"calls": 1, "input_tokens": 5, "usd": 0.1},
            "seconds": 0.5,
            "error_type": "",
            "error": "",
        },
    ]
    path = tmp_path / NAME
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (row,) = read_results(path).rows
    assert (row.key, row.usage.input_tokens, row.scores["match"].value) == (("a", 1), 5, 1.0)
    assert lines[0]["schema"] == SCHEMA


@pytest.mark.parametrize("content", [b"", b'{"schema": "half a head'])
def test_a_file_without_a_whole_line_holds_nothing(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(StoreError, match="holds no results"):
        read_results(tmp_path)


def test_missing_results_are_one_sentence(tmp_path):
    with pytest.raises(StoreError, match="there are no results at"):
        read_results(tmp_path)
    (tmp_path / NAME).mkdir()
    with pytest.raises(StoreError, match="cannot be read: Is a directory"):
        read_results(tmp_path)
    with pytest.raises(StoreError, match="cannot be written"):
        opened(tmp_path)


def test_another_header_is_refused_but_for_its_date_and_release(tmp_path):
    with opened(tmp_path):
        pass
    with opened(tmp_path, Header(**{**_fields(HEADER), "created": "2026-11-22", "agentkit": "9"})):
        pass
    with pytest.raises(EvaluationError, match="its output, seed changed"):
        opened(tmp_path, Header(**{**_fields(HEADER), "seed": 4, "output": "answer"}))


def test_a_secret_reaches_neither_header_nor_rows_and_does_not_stop_a_resume(tmp_path):
    redactor = Redactor(["canary-key-123456"], shapes=False)
    header = Header(task="Http(key='canary-key-123456')")
    for _ in range(2):
        with ResultFile(tmp_path, header, redactor=redactor) as file:
            file.append(Row(id="a", output={"answer": "canary-key-123456"}, error="canary-key-123456"))
    assert "canary-key" not in (tmp_path / NAME).read_text()


def test_old_files_are_never_overwritten(tmp_path):
    for name in ("a", "b", "c"):
        with opened(tmp_path, fresh=True) as file:
            file.append(Row(id=name))
    assert [read_results(tmp_path / one).rows[0].id for one in ("results-1.jsonl", "results-2.jsonl", NAME)] == list(
        "abc"
    )


FULL = """
    import resource, signal, sys
    from agentkit.errors import StoreError
    from agentkit.evaluation.results import ResultFile
    from agentkit.evaluation.row import Header, Row
    from agentkit.runtime.redact import Redactor
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
    try:
        with ResultFile(sys.argv[1], Header(), redactor=Redactor()) as file:
            for index in range(100):
                file.append(Row(id=str(index)))
    except StoreError as error:
        print(error)
"""


def test_a_full_disk_is_one_named_error_and_keeps_the_rows_before(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "results cannot be written to" in done.stdout
    assert "rows already there are kept" in done.stdout
    rows = read_results(tmp_path).rows
    assert [row.id for row in rows] == [str(index) for index in range(len(rows))]
    assert rows
    with opened(tmp_path, Header()) as file:
        file.append(Row(id="next"))
    assert [row.id for row in read_results(tmp_path).rows] == [*(row.id for row in rows), "next"]


def _fields(header):
    return {name: getattr(header, name) for name in header.__dataclass_fields__}
