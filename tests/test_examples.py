"""The examples in the docstrings of the package run, and print what they say."""

import doctest
import importlib

import pytest
from conftest import ROOT

FILES = [path for path in sorted((ROOT / "gdl").rglob("*.py")) if ">>> " in path.read_text()]
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in FILES]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert not failed, "what the example printed stands above"
