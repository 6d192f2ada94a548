import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "evals" / "hallucination" / "published.py"
SOURCE = "The bridge was built in 1932 and is 503 metres long."
RIGHT, WRONG = "The bridge was built in 1932.", "The bridge was painted green by volunteers in 1985."


def run(folder):
    command = [sys.executable, str(SCRIPT), "--data", str(folder), "--resamples", "20"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_sets_that_are_absent_are_pending(tmp_path):
    assert run(tmp_path).count("result pending data") == 4


def test_every_layout_is_read_and_measured_by_task(tmp_path):
    response = {"source_id": "1", "split": "test", "model": "m"}
    write(
        tmp_path / "ragtruth/dataset/response.jsonl",
        {**response, "id": "1", "response": RIGHT, "labels": []},
        {**response, "id": "2", "response": WRONG, "labels": [{"start": 0, "end": 9, "text": WRONG[:9]}]},
        {**response, "id": "3", "response": WRONG, "labels": [], "split": "train"},
    )
    info = {"question": "When?", "passages": SOURCE}
    write(tmp_path / "ragtruth/dataset/source_info.jsonl", {"source_id": "1", "task_type": "QA", "source_info": info})
    write(
        tmp_path / "halueval/data/qa_data.json",
        {"knowledge": SOURCE, "question": "When?", "right_answer": RIGHT, "hallucinated_answer": WRONG},
    )
    (tmp_path / "faithbench/data_for_release").mkdir(parents=True)
    summaries = [(RIGHT, []), (WRONG, ["Unwanted", "Unwanted.Extrinsic"]), (WRONG, ["Questionable", "Benign"])]
    samples = [
        {"source": SOURCE, "summary": summary, "annotations": [{"label": label}] if label else []}
        for summary, label in summaries
    ]
    (tmp_path / "faithbench/data_for_release/batch_1.json").write_text(json.dumps({"samples": samples}))
    rows = "".join(f"Wice,{SOURCE},{claim},{label},x\n" for claim, label in ((RIGHT, 1), (WRONG, 0)))
    (tmp_path / "aggrefact").mkdir()
    (tmp_path / "aggrefact/test.csv").write_text("dataset,doc,claim,label,contamination_identifier\n" + rows)
    report = json.loads(run(tmp_path))
    assert set(report) == {"ragtruth/QA", "halueval/qa", "faithbench", "aggrefact/Wice"}
    for figures in report.values():
        assert (figures["rows"], figures["hallucinated"]) == (2, 1)
        assert figures["groundedness"]["auroc"]["value"] == 1.0
        assert figures["flag_all"]["auroc"]["value"] == figures["task_prior"]["balanced_accuracy"]["value"] == 0.5
