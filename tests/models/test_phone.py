"""What TensorFlow Lite asks of layers, against what its converter says."""

import re

import numpy as np
import pytest

from trainkit.config import known_names
from trainkit.deploy.export.tables import split_tables
from trainkit.errors import ExportError
from trainkit.framework import quiet_stderr, tf
from trainkit.models.costs import Amount, kept_activations, layer_costs, peak_memory
from trainkit.models.layers import Impute
from trainkit.models.phone import Need, phone_needs

from .layer_cases import CASES, MORE, NOT_ALONE, STEPS, VARIANTS, K, model_of


def convert(model, *, flex=False):
    """The .tflite without what is done before it, or the operations that cannot be in it."""
    inner, preprocess = split_tables(model, numbers=True)
    converter = tf.lite.TFLiteConverter.from_keras_model(inner)
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    try:
        with quiet_stderr():
            return converter.convert(), preprocess
    except Exception as error:
        found = re.findall(r"'tf\.(\w+)' op is|failed to legalize operation 'tf\.(\w+)'", str(error))
        return {first or second for first, second in found}, preprocess


def runs(content):
    """Whether LiteRT computes a file, at sizes that fit where any goes."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    for place in interpreter.get_input_details():
        shape = [place["shape"][0], *(8 if size < 0 else size for size in place["shape_signature"][1:])]
        interpreter.resize_tensor_input(place["index"], shape)
    try:
        interpreter.allocate_tensors()
        for place in interpreter.get_input_details():
            interpreter.set_tensor(place["index"], np.zeros(place["shape"], place["dtype"]))
        interpreter.invoke()
    except (RuntimeError, ValueError):
        return False
    return True


def measured(case):
    """What a case needs: (need, operations)."""
    try:
        content, preprocess = convert(model_of(case))
        if isinstance(content, bytes) and runs(content):
            return {(Need.HOST, ())} if preprocess else set()
        fixed, _ = convert(model_of(case, 1))
        if isinstance(fixed, bytes) and runs(fixed):
            return {(Need.BATCH_1, ())}
        with_flex, _ = convert(model_of(case), flex=True)
    except ExportError:
        return {(Need.MISSING, ())}
    operations = tuple(sorted(content if isinstance(content, set) else fixed))
    is_flex = isinstance(with_flex, bytes) and b"Flex" in with_flex
    return {(Need.FLEX if is_flex else Need.MISSING, operations)}


def told(case):
    return {(need.need, need.operations) for need in phone_needs(model_of(case))}


def test_phone_cases_are_of_every_layer():
    classes = {getattr(K, name, Impute).__name__ for name in known_names("layer")}
    assert {*CASES, *NOT_ALONE} == classes


@pytest.mark.parametrize("case", [*(CASES | MORE).values()], ids=[*(CASES | MORE)])
def test_costs_of_every_layer_are_known(case):
    model = model_of(case)
    costs = layer_costs(model)
    assert None not in [cost.macs for cost in costs]
    assert sum(cost.parameters for cost in costs) == model.count_params()
    assert not peak_memory(model).activations < costs[-1].activations
    assert not kept_activations(model) < Amount()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", [*(CASES | MORE | VARIANTS).values()], ids=[*(CASES | MORE | VARIANTS)])
def test_phone_needs_are_what_the_converter_says(case):
    assert told(case) == measured(case)


@pytest.mark.parametrize("name", ["Dense", "SimpleRNN", "StringLookup", "AveragePooling3D", "Resizing-area"])
@pytest.mark.filterwarnings("ignore")
def test_phone_needs_of_one_layer_of_each_kind_are_what_the_converter_says(name):
    case = (CASES | MORE)[name]
    assert told(case) == measured(case)


def test_phone_needs_name_the_layer_and_what_is_inside():
    inputs = tf.keras.Input(STEPS)
    steps = K.Bidirectional(K.GRU(2, return_sequences=True), name="both")(inputs)
    (need,) = phone_needs(tf.keras.Model(inputs, K.Dense(1)(steps)))
    assert (need.layer, need.class_name, need.need, need.can_unroll) == ("both", "GRU", Need.BATCH_1, True)
