"""What the training runs on."""

import os

from trainkit.training.devices import Devices, choose_devices


def test_choose_devices_says_why_there_is_no_gpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    devices = choose_devices()
    assert devices.names == (f"CPU, {len(os.sched_getaffinity(0))} cores",)
    assert "CUDA_VISIBLE_DEVICES" in str(devices)


def test_devices_that_are_gpus_need_no_reason():
    assert str(Devices(("GPU:0 A100", "GPU:1 A100"))) == "GPU:0 A100, GPU:1 A100"
