"""A verifier and a soft prompt, trained on real weights in torch."""

import json
from contextlib import contextmanager
from random import Random

import pytest
from click.testing import CliRunner

from agentkit.cli import cli
from agentkit.models.transformers import Transformers
from agentkit.models.verifier import Verifier
from agentkit.runtime.sampling import draw
from agentkit.types import GenerateRequest, Message, Problem, Record

pytestmark = [pytest.mark.torch, pytest.mark.gpu, pytest.mark.timeout(600)]


@contextmanager
def run(*arguments):
    said = CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    yield said.output


@pytest.fixture(scope="module")
def head(folder, tmp_path_factory):
    """A verifier of sums of small numbers."""
    made, rng = tmp_path_factory.mktemp("verifier"), Random(2)
    with (made / "rows.jsonl").open("w") as file:
        for number in range(60):
            a, b = rng.randrange(2, 10), rng.randrange(2, 10)
            for answer in (a + b, a * b + 13):
                row = {"id": str(number), "question": f"How much is {a} plus {b}?", "right": answer == a + b}
                file.write(json.dumps({**row, "answer": f"{a} plus {b} is {answer}."}) + "\n")
    with run("train", "verifier", made / "rows.jsonl", "-m", folder, "-o", made / "head.json") as said:
        assert "60 questions" in said
    return made / "head.json"


async def test_a_verifier_tells_right_from_wrong_on_questions_it_has_not_seen(head):
    report = json.loads(head.read_text())["report"]
    assert report["auroc"] > 0.9
    assert report["choices"]["best"]["accuracy"][0] > report["choices"]["one sample"]["accuracy"][0]
    judge = Verifier(head=head)
    right = await judge.evaluate(Record(input="How much is 4 plus 5?", output="4 plus 5 is 9."))
    wrong = await judge.evaluate(Record(input="How much is 4 plus 5?", output="4 plus 5 is 33."))
    assert right.value > wrong.value


async def test_as_a_process_reward_it_scores_every_step(head):
    scores = await Verifier(head=head).score(Problem.of("How much is 4 plus 5?"), ["4 plus 5", "is 9."])
    assert len(scores) == 2
    assert all(0 <= score <= 1 for score in scores)
    assert not head.with_name("head.json.features").exists()


async def test_a_soft_prompt_learns_to_answer_in_codes_that_the_model_does_not_know(folder, tmp_path):
    rng, words = Random(3), {"red": "zip", "blue": "zap"}
    rows = []
    for number in range(60):
        word = rng.choice(sorted(words))
        rows.append(json.dumps({"input": f"Item {number} is {word}. Which code?", "target": words[word]}))
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    target = tmp_path / "prompt.safetensors"
    options = ("--length", 8, "--epochs", 4, "--text", "Answer with the code of the colour")
    with run("train", "soft-prompt", tmp_path / "rows.jsonl", "-m", folder, "-o", target, *options) as said:
        assert "held-out examples right" in said
    tuned = Transformers(model=str(folder), dtype="float32", soft_prompt=target)
    request = GenerateRequest(
        messages=(Message("user", "Item 99 is blue. Which code?"),), max_tokens=4, temperature=0.0
    )
    assert (await draw(tuned, request)).text.strip() in words.values()
