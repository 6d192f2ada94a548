"""Rows for ``agentkit train verifier`` from OpenAI's released GSM8K solutions (MIT; openai/grade-school-math).

python evals/test_time_compute/verifier_rows.py --data FOLDER --questions 400 > rows.jsonl
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from pathlib import Path

_SOURCES = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
_NOTE = re.compile(r"<<[^>]*>>")  # the calculator's own notes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds openai_gsm8k/example_model_solutions.jsonl.gz")
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--skip", type=int, default=0)
    options = parser.parse_args()
    path = options.data / "openai_gsm8k" / "example_model_solutions.jsonl.gz"
    if not path.is_file():
        raise SystemExit(f"{path} is not there: it comes from github.com/openai/grade-school-math (MIT)")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if options.skip <= number < options.skip + options.questions:
                row = json.loads(line)
                for source in _SOURCES:
                    one = row[source]
                    told = {"id": f"gsm8k-{number}", "question": row["question"], "right": one["is_correct"]}
                    print(json.dumps({**told, "answer": _NOTE.sub("", one["solution"]), "by": source}))


if __name__ == "__main__":
    main()
