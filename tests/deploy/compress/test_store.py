"""Results of steps, kept for a deploy that goes on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trainkit.deploy.compress import CompressionResult
from trainkit.deploy.compress.measure import StepReport
from trainkit.deploy.compress.store import Store, key_of
from trainkit.errors import OutputError

REPORT = StepReport("Prune", {"sparsity": 0.8}, 0.1, 0.9, 1.0, 0.8, 5, 100, 50, 2.0, {})


@pytest.fixture
def store(pruned, tmp_path):
    store = Store(tmp_path / "compress")
    store.prepare(1)
    store.save("1_Prune", "key", pruned, REPORT)
    return store


def test_room_is_looked_for_before_anything_is_trained(tmp_path):
    with pytest.raises(OutputError, match=r"compress must have 1,000,000,000 MB free for the results of the steps"):
        Store(tmp_path / "compress").prepare(10**15)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file cannot be written: File exists"):
        Store(tmp_path / "file").prepare(1)


def test_store_gives_back_model_promises_and_report(store, pruned):
    result, report = store.load("1_Prune", "key")
    pairs = zip(result.model.get_weights(), pruned.model.get_weights(), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)
    assert result.promises == pruned.promises
    assert report == REPORT


def test_store_gives_back_the_state_of_a_model_that_keras_cannot_save(tmp_path):
    store = Store(tmp_path / "compress")
    store.prepare(1)
    state = [np.arange(3.0), np.eye(2, dtype=np.float32), np.float32(2)]
    store.save("3_Quantize", "key", CompressionResult(None, facts={"scheme": "QAT"}, state=state), REPORT)
    result, _ = store.load("3_Quantize", "key")
    assert result.model is None
    assert result.facts == {"scheme": "QAT"}
    assert all(np.array_equal(*pair) for pair in zip(result.state, state, strict=True))


def test_store_has_nothing_for_another_key(store):
    assert store.load("1_Prune", "another") is None


def test_store_has_nothing_where_nothing_was_saved(tmp_path):
    assert Store(tmp_path).load("1_Prune", "key") is None


@pytest.mark.parametrize("name", ["1_Prune.keras", "1_Prune.json"])
def test_store_has_nothing_where_a_file_is_damaged(store, tmp_path, name):
    filepath = tmp_path / "compress" / name
    filepath.write_bytes(filepath.read_bytes()[:-40])
    assert store.load("1_Prune", "key") is None


def test_store_keeps_an_unfinished_result_from_being_taken_for_one(store, tmp_path, pruned, monkeypatch):
    """The record goes first and comes last: between the two there is none."""

    def fail(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr("trainkit.deploy.compress.store.sha256_of", fail)
    with pytest.raises(KeyboardInterrupt):
        store.save("1_Prune", "new", pruned, REPORT)
    assert not (tmp_path / "compress" / "1_Prune.json").exists()


def test_record_is_json(store, tmp_path):
    record = json.loads((tmp_path / "compress" / "1_Prune.json").read_text())
    assert record["file"] == "1_Prune.keras"
    assert record["report"]["arguments"] == {"sparsity": 0.8}


def test_key_depends_on_each_fact():
    assert len({key_of(1, "a"), key_of(1, "b"), key_of(2, "a"), key_of(key_of(1, "a"))}) == 4
    assert key_of({"conv": 0.2, "*": 0.8}) != key_of({"*": 0.8, "conv": 0.2})
