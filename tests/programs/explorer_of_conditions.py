# %% A conditional model whose picture can be worked out by hand: what it is told moves red and green by two.
from types import SimpleNamespace

import numpy as np

import gdl


class Told:
    architecture = SimpleNamespace(image_size=32, z_dim=2, pixel_range=(0, 1))
    conditions = ("Smiling", "Male")

    def decode(self, z, Smiling=None, Male=None):
        moved = np.asarray(z) + [{True: 2, None: 0, False: -2}[told] for told in (Smiling, Male)]  # (n, 2)
        x = np.zeros((len(z), 32, 32, 3), np.float32)
        x[..., :2] = np.clip(0.5 + 0.1 * moved[:, None, None], 0, 1)
        x[..., 2] = np.arange(32) / 31
        return x


# %% The explorer without vectors
explorer = gdl.explore(Told(), seed=3)
explorer  # noqa: B018
