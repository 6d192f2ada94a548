"""nDCG@10 of the retrievers on SciFact and XQuAD, with bootstrap intervals, into evals/results/retrieval.json.

AGENTKIT_DATA=FOLDER python evals/retrieval/measure.py [--no-dense]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from math import log2
from pathlib import Path
from random import Random
from time import perf_counter

from agentkit import statistics
from agentkit.rag.dense import Vectors
from agentkit.rag.embed import MiniLM
from agentkit.rag.fuse import Ranking, reciprocal_rank
from agentkit.rag.lexical import Lexicon, stems
from agentkit.text import language

RESULTS = Path(__file__).parents[1] / "results" / "retrieval.json"
DEPTH = 100
K = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Documents by id, queries by id, and which documents answer a query."""

    name: str
    documents: dict[str, str]
    queries: dict[str, str]
    relevant: dict[str, set[str]]


Search = Callable[[str], Ranking]


def scifact(folder: Path) -> Collection:
    """The 300 test claims over 5,183 abstracts (Wadden et al. 2020, in BEIR's layout)."""
    documents = {row["_id"]: f"{row['title']}\n{row['text']}" for row in rows(folder / "corpus.jsonl")}
    relevant: dict[str, set[str]] = {}
    with (folder / "qrels_test.tsv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            relevant.setdefault(row["query-id"], set()).add(row["corpus-id"])
    queries = {row["_id"]: row["text"] for row in rows(folder / "queries_test.jsonl") if row["_id"] in relevant}
    return Collection(name="scifact", documents=documents, queries=queries, relevant=relevant)


def xquad(folder: Path, spoken: str) -> Collection:
    """Questions over 240 Wikipedia paragraphs (Artetxe et al. 2020); a retrieval set of our own making."""
    asked = list(rows(folder / f"queries_{spoken}.jsonl"))
    return Collection(
        name=f"xquad_{spoken}",
        documents={row["_id"]: row["text"] for row in rows(folder / f"corpus_{spoken}.jsonl")},
        queries={row["_id"]: row["text"] for row in asked},
        relevant={row["_id"]: {row["positive"]} for row in asked},
    )


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def lexical(collection: Collection, spoken: str) -> Search:
    lexicon = Lexicon.build((key, text, spoken) for key, text in collection.documents.items())
    return lambda query: lexicon.best(stems(query, spoken), DEPTH)


def dense(collection: Collection, folder: Path) -> Search:
    model, vectors, ids = MiniLM(), Vectors(folder), list(collection.documents)
    for first in range(0, len(ids), 64):
        batch = ids[first : first + 64]
        vectors.add(batch, model.embed([collection.documents[key] for key in batch]))
        print(f"\r{collection.name}: {first + len(batch)} of {len(ids)} embedded", end="", file=sys.stderr)
    print(file=sys.stderr)
    return lambda query: vectors.nearest(model.embed([query])[0], DEPTH)


def fused(left: Search, right: Search, weight: float) -> Search:
    def search(query: str) -> Ranking:
        return reciprocal_rank([[key for key, _ in one(query)] for one in (left, right)], (1 - weight, weight))

    return search


def ndcg(ranking: Sequence[str], relevant: set[str]) -> float:
    """Of the first ten places, with gains of 1."""
    gain = sum(1 / log2(place + 2) for place, key in enumerate(ranking[:K]) if key in relevant)
    return gain / sum(1 / log2(place + 2) for place in range(min(K, len(relevant))))


def measure(collection: Collection, name: str, search: Search) -> dict[str, object]:
    start = perf_counter()
    rankings = {key: [found for found, _ in search(text)] for key, text in collection.queries.items()}
    seconds = perf_counter() - start
    scores = [ndcg(rankings[key], collection.relevant[key]) for key in collection.queries]
    hits = [
        len(collection.relevant[key] & set(rankings[key])) / len(collection.relevant[key]) for key in collection.queries
    ]
    interval = statistics.mean(scores, rng=Random(0))
    row = {
        "collection": collection.name,
        "documents": len(collection.documents),
        "queries": len(scores),
        "retriever": name,
        "ndcg@10": asdict(interval),
        f"recall@{DEPTH}": sum(hits) / len(hits),
        "ms_a_query": 1000 * seconds / len(scores),
    }
    print(f"{collection.name:10} {name:24} nDCG@10 {interval}  recall@{DEPTH} {row[f'recall@{DEPTH}']:.3f}")
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-dense", action="store_true", help="words only: seconds instead of minutes")
    options = parser.parse_args()
    data = os.environ.get("AGENTKIT_DATA")
    if not data:
        sys.exit("set AGENTKIT_DATA to the folder that holds beir_scifact and xquad_retrieval")
    made = []
    for collection in (
        scifact(Path(data, "beir_scifact")),
        xquad(Path(data, "xquad_retrieval"), "ru"),
        xquad(Path(data, "xquad_retrieval"), "en"),
    ):
        spoken = language(" ".join(list(collection.documents.values())[:20])[:4000])
        words = lexical(collection, spoken)
        made.append(measure(collection, "lexical", words))
        if options.no_dense or spoken != "en":
            continue
        with tempfile.TemporaryDirectory() as folder:
            near = dense(collection, Path(folder))
            made.append(measure(collection, "dense", near))
            for weight in (0.3, 0.5, 0.7):
                made.append(measure(collection, f"hybrid, weight {weight}", fused(words, near, weight)))
    if not options.no_dense:
        write(made)


def write(made: list[dict[str, object]]) -> None:
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python evals/retrieval/measure.py",
        "python": platform.python_version(),
        "versions": {
            name: version(name) for name in ("agentkit", "bm25s", "chromadb", "onnxruntime", "PyStemmer", "numpy")
        },
        "embedder": MiniLM().name,
        "results": made,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
