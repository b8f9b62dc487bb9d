"""The table of layers, folded by block."""

import io

import pytest
from rich.console import Console

from trainkit.framework import tf
from trainkit.models.costs import Amount, layer_costs
from trainkit.training.network_table import BYTES, COUNTS, amount_text, network_rows, network_table

K = tf.keras.layers


def two_stages(prefix=""):
    """An input, a rescaling, two stages of a dense layer and a ReLU, and a dense layer."""
    tensor = inputs = tf.keras.Input((4,), name="input")
    tensor = K.Rescaling(2.0, name="rescaling1")(tensor)
    for stage in ("stage1", "stage2"):
        tensor = K.Dense(6, name=f"{prefix}{stage}.cell1.dense1")(tensor)
        tensor = K.ReLU(name=f"{prefix}{stage}.relu1")(tensor)
    return tf.keras.Model(inputs, K.Dense(2, name=f"{prefix}answer")(tensor))


def shared():
    """A block of two layers called twice."""
    dense, relu = K.Dense(6, name="encoder.dense1"), K.ReLU(name="encoder.relu1")
    left, right = tf.keras.Input((4,), name="left"), tf.keras.Input((4,), name="right")
    return tf.keras.Model([left, right], K.Dot(1, name="dot1")([relu(dense(left)), relu(dense(right))]))


def rows_of(model, **options):
    return network_rows(layer_costs(model), **options)


def drawn(model, **options):
    console = Console(file=io.StringIO(), width=100)
    console.print(network_table(rows_of(model, **options)))
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_rows_fold_each_outermost_block_and_sum_its_layers():
    rows = rows_of(two_stages(), block_names={"stage1": "Stage", "stage2": "Stage"})
    assert [(row.name, row.class_name, row.layers) for row in rows] == [
        ("input", "InputLayer", 1),
        ("rescaling1", "Rescaling", 1),
        ("stage1", "Stage", 2),
        ("stage2", "Stage", 2),
        ("answer", "Dense", 1),
    ]
    assert [(row.parameters, row.macs, row.activations) for row in rows[2:4]] == [
        (4 * 6 + 6, Amount(4 * 6), Amount(4 * (6 + 6))),
        (6 * 6 + 6, Amount(6 * 6), Amount(4 * (6 + 6))),
    ]
    assert rows[2].output_shape == (6,)


def test_rows_show_the_inside_of_a_network_that_is_one_block():
    names = [row.name for row in rows_of(two_stages("net."))]
    assert names == ["input", "rescaling1", "net.stage1", "net.stage2", "net.answer"]


def test_rows_that_are_flat_are_layers():
    names = [row.name for row in rows_of(two_stages(), flat=True)]
    assert names[2:4] == ["stage1.cell1.dense1", "stage1.relu1"]
    assert len(names) == 7


def test_rows_of_a_shared_block_are_one_a_call_and_count_its_weights_once():
    rows = rows_of(shared(), block_names={"encoder": "Encoder"})
    assert [(row.name, row.parameters, row.macs) for row in rows[2:]] == [
        ("encoder", 4 * 6 + 6, Amount(24)),
        ("encoder (again)", None, Amount(24)),
        ("dot1", 0, Amount(6)),
    ]


def test_rows_know_the_line_of_a_layer_and_of_a_block():
    rows = rows_of(two_stages(), lines={"input": 3, "stage1": 9, "stage2.cell1.dense1": 5})
    assert [row.line for row in rows] == [3, None, 9, 5, None]


def test_table_shows_a_row_a_layer_and_the_sums():
    (heading, _, *rows) = drawn(shared(), lines={"dot1": 12}, block_names={"encoder": "Encoder"})
    assert heading == ["layer", "class", "output", "parameters", "MACs", "activations", "line"]
    assert rows[2] == ["encoder", "Encoder", "6", "30", "24", "48", "B"]
    assert rows[3] == ["encoder", "(again)", "Encoder", "6", "shared", "24", "48", "B"]
    assert rows[4] == ["dot1", "Dot", "1", "–", "6", "4", "B", "12"]
    assert rows[-1] == ["total", "30", "54", "132", "B"]


def test_table_says_any_where_a_length_is_open():
    inputs = tf.keras.Input((None, 4), name="input")
    rows = drawn(tf.keras.Model(inputs, K.Dense(6, name="answer")(inputs)))
    assert rows[3] == ["answer", "Dense", "any×6", "30", "24/step", "24", "B/step"]


def test_table_marks_a_layer_that_nobody_knows():
    class Own(tf.keras.layers.Layer):
        def call(self, inputs):
            return inputs

    inputs = tf.keras.Input((4,), name="input")
    rows = drawn(tf.keras.Model(inputs, K.Dense(2, name="answer")(Own(name="own")(inputs))))
    assert rows[3] == ["own", "Own", "4", "–", "?", "16", "B"]
    assert rows[-1] == ["total", "10", "8", "+", "?", "40", "B"]


def test_table_of_a_wide_network_fits_100_columns():
    model = tf.keras.applications.MobileNet(weights=None, include_top=False, input_shape=(128, 128, 3))
    console = Console(file=io.StringIO(), width=100)
    console.print(network_table(rows_of(model, flat=True, lines={cost.name: 1234 for cost in layer_costs(model)})))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) == len(layer_costs(model)) + 4


@pytest.mark.parametrize(
    ("amount", "units", "expected"),
    [
        (Amount(999), COUNTS, "999"),
        (Amount(1000), COUNTS, "1.00 k"),
        (Amount(999_600), COUNTS, "1.00 M"),
        (Amount(3_857_973_248), COUNTS, "3.86 G"),
        (Amount(345_678), BYTES, "346 KB"),
        (Amount(5, 6, 7, 8), COUNTS, "5 + 6/step + 7/step² + 8/step³"),
        (Amount(0, 2048), BYTES, "2.05 KB/step"),
        (Amount(), BYTES, "–"),
    ],
)
def test_amount_text_has_three_digits(amount, units, expected):
    assert amount_text(amount, units) == expected
