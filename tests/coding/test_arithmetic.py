"""The arithmetic coder."""

from __future__ import annotations

import math
import random

import pytest

from trainkit.coding.arithmetic import Decoder, Encoder


def coded(decisions):
    encoder = Encoder()
    for bit, probability in decisions:
        encoder.code(bit, probability)
    return encoder.finish()


def decisions_of(seed, size, probabilities):
    draw = random.Random(seed)
    chosen = [draw.choice(probabilities) for _ in range(size)]
    return [(int(draw.random() < one / 65536), one) for one in chosen]


@pytest.mark.parametrize("probabilities", [[1], [65535], [32768], [1, 65535, 300, 40_000]], ids=str)
def test_a_decoder_finds_every_decision(probabilities):
    decisions = decisions_of(1, 5000, probabilities)
    decoder = Decoder(coded(decisions))
    assert [decoder.code(0, probability) for _, probability in decisions] == [bit for bit, _ in decisions]


@pytest.mark.parametrize("bit", [0, 1])
def test_decisions_that_nobody_expected_come_back(bit):
    decisions = [(bit, 65535 if bit == 0 else 1)] * 200
    decoder = Decoder(coded(decisions))
    assert [decoder.code(0, probability) for _, probability in decisions] == [bit] * 200


def test_a_code_is_as_long_as_its_information():
    decisions = decisions_of(2, 20_000, [1000, 20_000, 64_000])
    bits = -sum(math.log2((one if bit else 65536 - one) / 65536) for bit, one in decisions)
    assert bits / 8 <= len(coded(decisions)) <= bits / 8 * 1.001 + 2


def test_no_decision_needs_no_byte():
    assert coded([]) == b""
