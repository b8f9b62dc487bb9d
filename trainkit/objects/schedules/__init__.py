"""The learning-rate schedules that TrainKit adds to those of Keras."""

from trainkit.registry import Registry

SCHEDULES = Registry(
    "schedule",
    {
        "FixedDecay": "trainkit.objects.schedules.caffe:FixedDecay",
        "StepDecay": "trainkit.objects.schedules.caffe:StepDecay",
        "MultiStepDecay": "trainkit.objects.schedules.caffe:MultiStepDecay",
        "ExpDecay": "trainkit.objects.schedules.caffe:ExpDecay",
        "InvDecay": "trainkit.objects.schedules.caffe:InvDecay",
        "PolyDecay": "trainkit.objects.schedules.caffe:PolyDecay",
        "SigmoidDecay": "trainkit.objects.schedules.caffe:SigmoidDecay",
        "OneCycle": "trainkit.objects.schedules.one_cycle:OneCycle",
        "WarmUp": "trainkit.objects.schedules.warm_up:WarmUp",
    },
)

__all__ = ["SCHEDULES"]
