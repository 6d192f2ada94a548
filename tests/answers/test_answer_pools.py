"""Canonical answers on recorded samples of GPT-3.5; the recordings are not part of the project."""

import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from agentkit.answers import canonical, extract

POOL = Path(os.environ.get("AGENTKIT_DATA", "")) / "answer_pools" / "GPT3_date_cot1_40.jsonl.gz"


@pytest.mark.skipif(not POOL.is_file(), reason="set AGENTKIT_DATA to the folder of recorded data to run this")
def test_canonical_dates_raise_the_vote_of_forty_by_more_than_ten_points():
    with gzip.open(POOL, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    raw = sum(Counter(row["answers"]).most_common(1)[0][0] == row["gold"] for row in rows)
    voted = [Counter(canonical(found) for one in row["answers"] if (found := extract(one))) for row in rows]
    right = sum(votes.most_common(1)[0][0] == canonical(row["gold"]) for votes, row in zip(voted, rows, strict=True))
    assert raw / len(rows) < 0.66
    assert right / len(rows) > 0.765
