"""Loss and metrics of every epoch, as CSV."""

from types import SimpleNamespace

from trainkit.callbacks import HistoryFile
from trainkit.framework import tf


def test_history_file_is_whole_after_every_epoch(tmp_path):
    history = HistoryFile(tmp_path / "history.csv", SimpleNamespace(seconds=1.5))
    history.set_model(SimpleNamespace(optimizer=tf.keras.optimizers.SGD(0.5)))
    history.on_train_begin()
    history.on_epoch_end(0, {"loss": 2.0})
    assert history.filepath.read_text() == "epoch,seconds,learning_rate,loss\n1,1.5,0.5,2.0\n"
    history.on_epoch_end(1, {"loss": 1.0, "val_loss": 3.0})
    assert history.filepath.read_text() == (
        "epoch,seconds,learning_rate,loss,val_loss\n1,1.5,0.5,2.0,\n2,1.5,0.5,1.0,3.0\n"
    )


def test_history_file_grows_by_a_row_where_the_columns_are_the_same(tmp_path):
    history = HistoryFile(tmp_path / "history.csv", SimpleNamespace(seconds=1.5))
    history.set_model(SimpleNamespace(optimizer=tf.keras.optimizers.SGD(0.5)))
    history.on_train_begin()
    history.on_epoch_end(0, {"loss": 2.0})
    before = history.filepath.stat().st_ino
    history.on_epoch_end(1, {"loss": 1.0})
    assert history.filepath.stat().st_ino == before
    assert history.filepath.read_text() == "epoch,seconds,learning_rate,loss\n1,1.5,0.5,2.0\n2,1.5,0.5,1.0\n"


def test_history_file_that_was_taken_away_is_written_anew(tmp_path):
    history = HistoryFile(tmp_path / "history.csv", SimpleNamespace(seconds=1.5))
    history.set_model(SimpleNamespace(optimizer=tf.keras.optimizers.SGD(0.5)))
    history.on_train_begin()
    history.on_epoch_end(0, {"loss": 2.0})
    history.filepath.unlink()
    history.on_epoch_end(1, {"loss": 1.0})
    assert history.filepath.read_text() == "epoch,seconds,learning_rate,loss\n1,1.5,0.5,2.0\n2,1.5,0.5,1.0\n"
