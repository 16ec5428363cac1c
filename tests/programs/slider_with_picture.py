# A cell that shows a slider, with a picture for where widgets cannot be shown: what `gdl.explore` displays.
import io

import matplotlib.pyplot as plt
from IPython.display import display
from ipywidgets import IntSlider

png = io.BytesIO()
plt.figure(figsize=(1, 1)).savefig(png)
plt.close()
display({**IntSlider()._repr_mimebundle_(), "image/png": png.getvalue(), "text/plain": "a slider"}, raw=True)
