# %% A model whose picture can be worked out by hand: red and green are linear in the code, blue grows to the right.
from types import SimpleNamespace

import numpy as np

import gdl


class Linear:
    architecture = SimpleNamespace(image_size=32, z_dim=2, pixel_range=(0, 1))

    def decode(self, z):
        x = np.zeros((len(z), 32, 32, 3), np.float32)
        x[..., :2] = np.clip(0.5 + 0.1 * np.asarray(z)[:, None, None], 0, 1)
        x[..., 2] = np.arange(32) / 31
        return x


# %% The explorer
explorer = gdl.explore(Linear(), {"Red": [1, 0], "Green": [0, 1]}, seed=3)
explorer  # noqa: B018

# %% The map
points = np.random.default_rng(0).standard_normal((60, 3))
gdl.maps.map_turning(points, np.repeat(["one", "two", "three"], 20), title="Three classes")
