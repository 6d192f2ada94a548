"""How well ``groundedness`` flags what RAGTruth, HaluEval, FaithBench and LLM-AggreFact label, in their published layouts.

python evals/hallucination/published.py --data FOLDER [--output FILE] [--resamples N]

FOLDER holds ``ragtruth/dataset/{response,source_info}.jsonl`` (github.com/ParticleMedia/RAGTruth), ``halueval/data/*_data.json``
(github.com/RUCAIBox/HaluEval), ``faithbench/data_for_release/batch_*.json`` (github.com/vectara/FaithBench) and
``aggrefact/*.jsonl`` or ``*.csv`` with the columns of LLM-AggreFact; a set that is absent is pending. For each task: F1 of the
flagged, balanced accuracy and AUROC with 95 % bootstrap intervals (rows of one source are resampled together), beside flagging
everything, the commoner label, and word overlap.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from sets import Row

from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.statistics import auroc
from agentkit.types import Document

_WORD = re.compile(r"\w+")
_HALUEVAL = {
    "qa": ("knowledge", "right_answer", "hallucinated_answer"),
    "dialogue": ("knowledge", "right_response", "hallucinated_response"),
    "summarization": ("document", "right_summary", "hallucinated_summary"),
}

Labelled = Iterator[tuple[str, Row]]
"""The task of a row, and the row."""


def ragtruth(folder: Path) -> Labelled:
    """Responses of the test split against their source; one with any labelled span is not supported."""
    if not (folder / "dataset/response.jsonl").exists():
        return
    sources = {row["source_id"]: row for row in _lines(folder / "dataset/source_info.jsonl")}
    for row in _lines(folder / "dataset/response.jsonl"):
        if row["split"] == "test":
            source, told = sources[row["source_id"]], sources[row["source_id"]]["source_info"]
            text = told if isinstance(told, str) else told.get("passages") or json.dumps(told, ensure_ascii=False)
            yield f"ragtruth/{source['task_type']}", _row(row["response"], text, not row["labels"])


def halueval(folder: Path) -> Labelled:
    """Two rows of each line: the right answer and the hallucinated one."""
    for task, (source, right, wrong) in _HALUEVAL.items():
        path = folder / f"data/{task}_data.json"
        for row in _lines(path) if path.exists() else ():
            yield f"halueval/{task}", _row(row[right], row[source], True)
            yield f"halueval/{task}", _row(row[wrong], row[source], False)


def faithbench(folder: Path) -> Labelled:
    """Summaries by their worst annotation: unwanted against benign or none at all; questionable ones are left out."""
    for path in sorted(folder.glob("data_for_release/batch_*.json")):
        for row in json.loads(path.read_text(encoding="utf-8"))["samples"]:
            labels = {label.partition(".")[0] for one in row["annotations"] for label in one["label"]}
            if "Unwanted" in labels or "Questionable" not in labels:
                yield "faithbench", _row(row["summary"], row["source"], "Unwanted" not in labels)


def aggrefact(folder: Path) -> Labelled:
    """Claims against their document; label 1 is supported."""
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.csv")]):
        for row in _lines(path) if path.suffix == ".jsonl" else _table(path):
            yield f"aggrefact/{row['dataset']}", _row(row["claim"], row["doc"], int(row["label"]) == 1)


SETS: dict[str, Callable[[Path], Labelled]] = {
    "ragtruth": ragtruth,
    "halueval": halueval,
    "faithbench": faithbench,
    "aggrefact": aggrefact,
}


def measure(rows: Sequence[Row], resamples: int) -> dict[str, Any]:
    """The figures of one task by each way of flagging; an answer that is not scored is not flagged."""
    judge, wrong = Groundedness(), [not row.supported for row in rows]
    scores = [judge.check(row.answer, row.documents).value for row in rows]
    commoner = float(2 * sum(wrong) >= len(wrong))
    risks = {
        "groundedness": [0.0 if score is None else 1 - score for score in scores],
        "flag_all": [1.0] * len(rows),
        "task_prior": [commoner] * len(rows),
        "overlap": [1 - _overlap(row) for row in rows],
    }
    drawn = list(_draws(rows, resamples)) if 0 < sum(wrong) < len(wrong) else []
    figures = {name: _figures(wrong, values, drawn) for name, values in risks.items()}
    return {"rows": len(rows), "hallucinated": sum(wrong), "unscored": scores.count(None), **figures}


def _figures(wrong: Sequence[bool], risks: Sequence[float], drawn: Sequence[Sequence[int]]) -> dict[str, Any]:
    def of(places: Sequence[int]) -> dict[str, float]:
        return _rates([wrong[place] for place in places], [risks[place] for place in places])

    told = [of(places) for places in drawn]
    found: dict[str, Any] = {}
    for name, value in (of(range(len(wrong))) if drawn else {}).items():
        ordered = sorted(one[name] for one in told)
        low, high = ordered[int(0.025 * len(told))], ordered[max(0, int(0.975 * len(told)) - 1)]
        found[name] = {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}
    return found


def _rates(wrong: Sequence[bool], risks: Sequence[float]) -> dict[str, float]:
    flagged = [risk > 0.5 for risk in risks]
    hits = sum(one and two for one, two in zip(wrong, flagged, strict=True))
    recall, passed = hits / sum(wrong), 1 - (sum(flagged) - hits) / (len(wrong) - sum(wrong))
    f1 = 2 * hits / (sum(flagged) + sum(wrong))
    return {"f1": f1, "balanced_accuracy": (recall + passed) / 2, "auroc": auroc(wrong, risks)}


def _draws(rows: Sequence[Row], resamples: int) -> Iterator[list[int]]:
    """Places of rows drawn by group; draws that lack one of the labels are left out."""
    members: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        members[row.group].append(place)
    names, random = list(members), Random(0)
    for _ in range(resamples):
        places = [place for name in random.choices(names, k=len(names)) for place in members[name]]
        if len({rows[place].supported for place in places}) == 2:
            yield places


def _overlap(row: Row) -> float:
    said, known = _WORD.findall(row.answer.casefold()), set(_WORD.findall(row.documents[0].text.casefold()))
    return sum(word in known for word in said) / len(said) if said else 0.0


def _row(answer: str, text: str, supported: bool) -> Row:
    return Row(answer, (Document(text=text),), supported, text)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def _table(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(2**24)  # documents are longer than the 128 KiB that the reader takes by default
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, help="where the report goes as JSON")
    parser.add_argument("--resamples", type=int, default=1000)
    options = parser.parse_args()
    tasks: dict[str, list[Row]] = defaultdict(list)
    for name, read in SETS.items():
        found = list(read(options.data / name))
        for task, row in found:
            tasks[task].append(row)
        if not found:
            print(f"{name}: result pending data (nothing in {options.data / name})")
    report = {task: measure(rows, options.resamples) for task, rows in tasks.items()}
    if report:
        print(json.dumps(report, indent=1))
    if report and options.output:
        head = {"date": datetime.now(UTC).date().isoformat(), "agentkit": version("agentkit")}
        options.output.write_text(json.dumps({**head, "tasks": report}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
