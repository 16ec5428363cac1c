"""XLA gives the same steps and new noise at each step."""

import json
from pathlib import Path

import pytest
from conftest import run_program

pytestmark = pytest.mark.slow  # compiles in a process of its own


@pytest.fixture(scope="module")
def problems():
    return json.loads(run_program(Path(__file__).parent / "programs" / "xla.py", timeout=500).splitlines()[-1])


@pytest.mark.parametrize("part", ["adversarial", "vae"])
def test_xla_gives_the_same_steps_and_new_noise(problems, part):
    assert problems[part] == ""
