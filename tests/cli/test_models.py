"""``agentkit models``, as a person meets it."""

import json
import os

import pytest

from agentkit import weights
from agentkit.errors import WeightsError


@pytest.fixture
def cached():
    """The shared cache with the chat model in it."""
    try:
        return weights.ensure("smollm2", cache=weights.default_cache())
    except WeightsError as error:
        pytest.skip(f"no weights: {error}")


def test_list_names_backends_and_weights_with_licence_and_state(agentkit, tmp_path):
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    said = agentkit("models", "list", "--json", env=environ)
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert {"local", "litellm", "replay"} <= {row["name"] for row in found["backends"]}
    smollm2 = next(row for row in found["weights"] if row["name"] == "smollm2")
    assert (smollm2["state"], smollm2["license"], smollm2["size"]) == ("not fetched", "Apache-2.0", 98_362_432)
    assert smollm2["path"].startswith(str(tmp_path))


def test_list_prints_tables_and_tells_of_damage(agentkit, tmp_path):
    damaged = weights.location("minilm", cache=tmp_path / "agentkit")
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"half")
    said = agentkit("models", "list", env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "COLUMNS": "160"})
    assert said.returncode == 0, said.stderr
    minilm = next(line for line in said.stdout.splitlines() if line.strip().startswith("minilm "))
    assert "22.9 MB" in minilm
    assert "damaged" in minilm


def test_pull_verifies_what_is_there(agentkit, cached):
    said = agentkit("models", "pull", "smollm2")
    assert said.returncode == 0, said.stderr
    assert said.stdout == f"smollm2: {cached} (98.4 MB, Apache-2.0, sha256 verified)\n"


def test_pull_without_a_network_is_one_sentence(agentkit, tmp_path):
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    said = agentkit("models", "pull", "smollm2", env=environ)
    assert said.returncode == 2
    assert "error: the weights 'smollm2' could not be fetched" in said.stderr
    assert "Traceback" not in said.stderr


def test_pull_of_an_unknown_name_offers_the_nearest(agentkit):
    said = agentkit("models", "pull", "smollm")
    assert said.returncode == 2
    assert "did you mean 'smollm2'" in said.stderr


def test_check_tells_how_fast_a_model_answers(agentkit, cached):
    said = agentkit("models", "check", "local/smollm2", "--tokens", "4", "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert found["model"] == "local/smollm2"
    assert found["tokens"] == 4
    assert found["tokens_per_second"] > 0
    assert found["capabilities"]["schema"] is True
    assert said.stderr == ""


def test_check_takes_a_file_of_your_own(agentkit, cached):
    said = agentkit("models", "check", cached, "--tokens", "2")
    assert said.returncode == 0, said.stderr
    assert f"local/{cached.stem}" in said.stdout
    assert "tokens/s over 2 tokens" in said.stdout


def test_check_of_an_unknown_backend_is_one_sentence(agentkit):
    said = agentkit("models", "check", "lokal/smollm2")
    assert said.returncode == 2
    assert "did you mean 'local'" in said.stderr


def test_price_says_what_a_call_costs_and_how_old_that_is(agentkit):
    said = agentkit("models", "price", "openai/gpt-4o-mini", "--input-tokens", "1000", "--output-tokens", "500")
    assert said.returncode == 0, said.stderr
    assert "this call: $0.000450" in said.stdout
    assert "taken 20" in said.stdout
    told = json.loads(agentkit("models", "price", "openai/gpt-4o-mini", "--json").stdout)
    assert (told["price"]["input"], told["usd"]) == (1.5e-7, 0.0)


def test_a_model_without_a_price_is_one_sentence(agentkit):
    said = agentkit("models", "price", "openai/gpt-4o-mino")
    assert said.returncode == 2
    assert "did you mean 'openai/gpt-4o-mini'" in said.stderr
    assert "Traceback" not in said.stderr
