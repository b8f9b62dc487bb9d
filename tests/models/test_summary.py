"""What a network is made of."""

from trainkit.config import Model
from trainkit.models import LayerSummary, build_model, summarize


def test_summarize_gives_shapes_and_parameters():
    layers = [{"Conv2D": {"filters": 2, "kernel_size": 3}}, "Flatten", {"Dense": {"units": 5}, "name": "answer"}]
    model = build_model(Model.model_validate({"input": [6, 6, 1], "layers": layers}), {}, name="net")
    assert summarize(model) == [
        LayerSummary("input", "InputLayer", (6, 6, 1), 0),
        LayerSummary("conv2d1", "Conv2D", (4, 4, 2), 3 * 3 * 1 * 2 + 2),
        LayerSummary("flatten1", "Flatten", (32,), 0),
        LayerSummary("answer", "Dense", (5,), 32 * 5 + 5),
    ]
