"""Spoiled firmware, registries and files: the decoders refuse with their own error or answer, never crash.

The long run is `python -m bench.fuzz`; this keeps its targets alive and tries a few hundred inputs of each.
"""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.fuzz import spoil, try_one
from bench.fuzz_targets import TARGETS, Target

SEEDS = st.integers(0, 2**32)


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.name)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=600), seed=SEEDS)
def test_no_input_makes_a_decoder_crash(target: Target, data: bytes, seed: int) -> None:
    chance = random.Random(seed)
    spoiled = spoil(chance, chance.choice(target.examples))

    assert try_one(target, data) is None
    assert try_one(target, spoiled) is None


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.name)
def test_the_examples_that_are_spoiled_are_good_ones(target: Target) -> None:
    """Spoiling what no decoder gets into would try its first line alone."""
    for example in target.examples:
        target.decode(example)


def test_a_decoder_that_crashes_is_found() -> None:
    def broken(data: bytes) -> object:
        return data[999]

    assert isinstance(try_one(Target("broken", broken, ()), b"x"), IndexError)
