"""Profiles: chosen by the environment, else by the machine."""

import pytest
import tensorflow as tf

import gdl

THREE = dict(smoke=dict(epochs=1), quick=dict(epochs=5), full=dict(epochs=20))


@pytest.mark.parametrize("gpus,expected", [([], "quick"), (["a GPU"], "full")])
def test_the_machine_decides(monkeypatch, gpus, expected):
    monkeypatch.delenv("GDL_PROFILE", raising=False)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus if kind == "GPU" else [])
    assert gdl.profile() == expected


def test_the_environment_decides_first(monkeypatch, capsys):
    monkeypatch.setenv("GDL_PROFILE", "smoke")
    assert gdl.settings(**THREE).epochs == 1
    assert capsys.readouterr().out == "Profile smoke: epochs 1\n"


def test_an_unknown_profile_is_refused(monkeypatch):
    monkeypatch.setenv("GDL_PROFILE", "slow")
    with pytest.raises(gdl.CourseError, match="smoke, quick, full"):
        gdl.profile()


def test_profiles_with_different_names_are_refused(monkeypatch):
    monkeypatch.setenv("GDL_PROFILE", "smoke")
    with pytest.raises(gdl.CourseError, match="size"):
        gdl.settings(smoke=dict(epochs=1), quick=dict(epochs=5, size=64), full=dict(epochs=20))
