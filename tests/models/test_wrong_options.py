"""Options of the wrong kind: each model says in one sentence, before any work, what the option takes."""

import numpy as np
import pytest

import gdl

WRONG = [
    (gdl.VAE, {"image_size": (64, 64)}, "image_size is (64, 64): give a whole number, at least 1."),
    (gdl.VAE, {"z_dim": True}, "z_dim is True: give a whole number, at least 1."),
    (gdl.VAE, {"z_dim": 0}, "z_dim is 0: give a whole number, at least 1."),
    (gdl.VAE, {"filters": 32}, "filters is 32: give a tuple of whole numbers"),
    (gdl.VAE, {"filters": {8}}, "filters is {8}: give a tuple of whole numbers"),
    (gdl.VAE, {"filters": b"ab"}, "filters is b'ab': give a tuple of whole numbers"),
    (gdl.VAE, {"filters": ()}, "filters is empty"),
    (gdl.VAE, {"filters": (8,) * 9}, "image_size 64 cannot be halved 9 times"),
    (gdl.VAE, {"kernel_sizes": (3,)}, "kernel_sizes (3,) has 1 entries and filters"),
    (gdl.VAE, {"upsampling": "trasnpose"}, "upsampling='trasnpose' is not known: choose 'transpose', 'resize' or 'pixel_shuffle' (did you mean"),
    (gdl.VAE, {"upsampling": ["resize"]}, "upsampling=['resize'] is not known"),
    (gdl.VAE, {"batchnorm": True}, "VAE has no option 'batchnorm': choose from"),
    (gdl.VAE, {"batch_norm": "no"}, "batch_norm is 'no': give True or False."),
    (gdl.VAE, {"dropout": 1.0}, "dropout is 1.0: it is a share"),
    (gdl.VAE, {"dropout": np.nan}, "dropout is nan: give a number, at least 0."),
    (gdl.VAE, {"pixel_range": (0, 255)}, "pixel_range (0, 255) is not known"),
    (gdl.VAE, {"beta": "1"}, "beta is '1': give a number, at least 0."),
    (gdl.VAE, {"reconstruction": "mae"}, "reconstruction='mae' is not known"),
    (gdl.VAE, {"ema": 1}, "ema is 1.0: it is the decay of an average, so give at least 0 and less than 1"),
    (gdl.VAE, {"ema": -0.1}, "ema is -0.1: give a number, at least 0."),
    (gdl.GAN, {"ema": "0.9"}, "ema is '0.9': give a number, at least 0."),
    (gdl.GAN, {"label_smoothing": np.inf}, "label_smoothing is inf: give a number, at least 0."),
    (gdl.WGAN, {"critic_steps": 2.0}, "critic_steps is 2.0: give a whole number, at least 1."),
    (gdl.WGAN, {"clip": -1}, "clip is -1: give a number, at least 0."),
    (gdl.WGANGP, {"gp_weight": np.nan}, "gp_weight is nan: give a number, at least 0."),
    (gdl.AttributeClassifier, {"attributes": "Male"}, "attributes is 'Male': give a list of names"),
    (gdl.AttributeClassifier, {"attributes": 5}, "attributes is 5: give a list of names"),
]


@pytest.mark.parametrize(("kind", "options", "sentence"), WRONG)
def test_a_wrong_option_is_one_sentence(kind, options, sentence):
    with pytest.raises(gdl.CourseError) as refused:
        kind(**options)
    assert str(refused.value).startswith(sentence)


def test_numbers_of_numpy_are_numbers():
    model = gdl.WGANGP(image_size=np.int64(16), z_dim=np.int32(2), filters=np.array([4]), critic_steps=np.int8(2), gp_weight=np.float32(5))
    assert model.get_config() == gdl.WGANGP(image_size=16, z_dim=2, filters=(4,), critic_steps=2, gp_weight=5.0).get_config()
