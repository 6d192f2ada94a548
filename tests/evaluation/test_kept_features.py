"""Feature rows that outlive the command that computed them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import StoreError
from agentkit.evaluation.kept_features import KeptFeatures


def never():
    raise AssertionError("it was there")


def test_a_row_is_computed_once(tmp_path):
    with KeptFeatures(tmp_path / "f") as kept:
        assert kept.get("a", lambda: [1.0, 2.5]) == (1.0, 2.5)
    with KeptFeatures(tmp_path / "f") as kept:
        assert kept.get("a", never) == (1.0, 2.5)
        assert kept.get("b", lambda: [3.0]) == (3.0,)


@given(cut=st.integers(min_value=0, max_value=120))
def test_a_file_torn_anywhere_keeps_its_whole_rows_and_goes_on(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "f"
    with KeptFeatures(path) as kept:
        kept.get("a", lambda: [1.0])
        kept.get("b", lambda: [2.0])
    path.write_bytes(path.read_bytes()[:cut])
    for compute in (lambda: [1.0], never):
        with KeptFeatures(path) as kept:
            assert kept.get("a", compute) == (1.0,)


def test_a_file_of_another_kind_is_forgotten(tmp_path):
    (tmp_path / "f").write_text("something else")
    with KeptFeatures(tmp_path / "f") as kept:
        assert kept.get("a", lambda: [1.0]) == (1.0,)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "f").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        KeptFeatures(tmp_path / "f")
