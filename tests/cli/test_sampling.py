import gzip
import json

import pytest

from agentkit.cli import main

ROWS = [
    {"id": 1, "gold": 7, "answers": ["7"] * 9 + ["8"]},
    {"id": 2, "gold": "May 1, 2021", "answers": ["05/01/2021", None, "So it is 5/1/2021."] * 3 + ["04/30/2021"]},
    {"id": 3, "gold": "5", "answers": []},
]


@pytest.fixture
def pool(tmp_path):
    path = tmp_path / "pool.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in ROWS)
    return path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["sampling", *map(str, arguments)])
    return stop.value.code, *capsys.readouterr()


def test_every_rule_is_told_as_data_with_the_default_named(capsys, pool):
    code, out, _ = run(capsys, pool, "--orders", "10", "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["default"], report["questions"]) == ("regret", 3)
    rules = {row["rule"]: row for row in report["rules"]}
    assert set(rules) == {"full", "certain", "regret", "paired", "beta", "dirichlet", "esc"}
    assert rules["full"]["accuracy"] == pytest.approx(2 / 3)
    assert rules["regret"]["mean_samples"] < rules["full"]["mean_samples"] == pytest.approx(20 / 3)
    low, high = rules["full"]["accuracy_95"]
    assert low <= 2 / 3 <= high
    assert report["recommended"] in rules


def test_a_budget_shows_what_sharing_it_among_all_questions_comes_to(capsys, pool):
    _, out, _ = run(capsys, pool, "--orders", "10", "--budget", "2", "--json")
    report = json.loads(out)
    shared = report["rules"][-1]
    assert shared["rule"] == "allocator" != report["recommended"]
    assert shared["mean_samples"] <= 2
    assert shared["accuracy"] == pytest.approx(2 / 3, abs=0.15)


def test_a_table_recommends_the_cheapest_rule_that_keeps_the_accuracy(capsys, pool):
    code, out, _ = run(capsys, pool, "--orders", "5")
    assert code == 0
    assert "regret (default)" in out
    assert "cheapest within 0.1 points of the full vote" in out


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "other.jsonl"
    rows = [{"id": 2, "gold": "May 1, 2021", "answers": ["5/1/2021"] * 6}, {"id": 9, "answers": ["1"]}]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_pools_of_two_prompts_take_turns_on_the_questions_that_both_have(capsys, pool, other):
    _, out, _ = run(capsys, pool, other, "--alternate", "--orders", "5", "--json")
    report = json.loads(out)
    assert report["questions"] == 1
    mixed = {row["rule"]: row for row in report["rules"] if "pool" not in row}
    assert mixed["full"]["mean_samples"] == 10
    assert mixed["paired"]["mean_samples"] <= mixed["regret"]["mean_samples"]
    alone = [(row["rule"], row["pool"]) for row in report["rules"] if "pool" in row]
    assert alone == [(rule, name) for name in ("pool.jsonl.gz", "other.jsonl") for rule in ("full", "regret", "beta")]
    assert "beta, other.jsonl alone" in run(capsys, pool, other, "--alternate", "--orders", "5")[1]


@pytest.mark.parametrize(
    ("rows", "words"), [(None, "two pools or more"), ([{"id": 7, "answers": ["1"]}], "no question")]
)
def test_pools_that_cannot_take_turns_are_refused(capsys, tmp_path, pool, rows, words):
    paths = [pool]
    if rows:
        paths.append(tmp_path / "apart.jsonl")
        paths[1].write_text("\n".join(map(json.dumps, rows)))
    code, _, err = run(capsys, *paths, "--alternate")
    assert code != 0
    assert words in err


def test_without_gold_accuracy_is_agreement_with_the_full_vote(capsys, tmp_path):
    path = tmp_path / "pool.jsonl"
    path.write_text('{"id": 1, "answers": ["a b", "A b.", "c d"]}\n', encoding="utf-8")
    _, out, _ = run(capsys, path, "--json")
    assert {row["rule"]: row["accuracy"] for row in json.loads(out)["rules"]}["full"] == 1


WRONG = [
    ("nothing.jsonl", None, "no such file"),
    ("empty.jsonl", "", "holds no questions"),
    ("broken.jsonl", "{", ":1: not JSON"),
    ("strange.jsonl", '{"id": 1}', ":1: a question is"),
    ("list.jsonl", "[1]", ":1: a question is"),
    ("zip.jsonl.gz", "not a gzip file", "cannot be read"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), WRONG)
def test_a_pool_that_cannot_be_read_is_told_with_its_place(capsys, tmp_path, name, content, sentence):
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    code, _, error = run(capsys, path)
    assert code == 2
    assert sentence in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "gold": "7", "answers": []},
        {"id": 1, "gold": "7", "answers": [None, None]},
        {"id": 1, "gold": "7", "answers": ["7"]},
        {"texts": ["So the answer is 7.", "8"]},
        {"id": 1, "gold": 7, "answers": [7, "7.0", True, {"a": 1}, [1], None, ""]},
    ],
    ids=["no samples", "nothing but abstentions", "one sample", "texts without gold", "mixed kinds"],
)
def test_odd_pools_have_figures_too(capsys, tmp_path, row):
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps(row) + "\n")
    code, out, _ = run(capsys, path, "--orders", "2", "--json")
    rules = json.loads(out)["rules"]
    assert code == 0
    assert all(0 <= row["accuracy"] <= 1 and 0 <= row["saving"] <= 1 for row in rules)
