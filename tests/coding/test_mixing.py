"""Mixed contexts."""

from __future__ import annotations

import math

import pytest

from trainkit.coding.arithmetic import Encoder
from trainkit.coding.mixing import Mixer, tables


@pytest.mark.parametrize("logit", [-8.0, -1.0, 0.0, 0.5, 3.25])
def test_squash_is_the_logistic_function(logit):
    squash, _ = tables()
    middle = len(squash) // 2
    assert squash[middle + round(logit * 256)] / 65536 == pytest.approx(1 / (1 + math.exp(-logit)), abs=2e-5)


def test_squash_never_is_sure():
    squash, _ = tables()
    assert min(squash) >= 1
    assert max(squash) <= 65535


def test_stretch_undoes_squash():
    squash, stretch = tables()
    middle = len(squash) // 2
    assert all(abs(stretch[squash[middle + one]] - one) <= 1 for one in range(-1200, 1200))


def test_a_mixer_learns_which_context_tells():
    encoder = Encoder()
    mixer = Mixer(encoder, slots=6, inputs=3)
    for index in range(4000):
        bit = index * 7919 % 65537 & 1
        mixer.code(bit, (0, 1 + bit, 3 + index % 3))
    assert len(encoder.finish()) < 4000 / 8 / 10
