"""The features and the table that come with the course belong to the models that come with it."""

import pandas as pd
import pytest
from scipy.stats import spearmanr

import gdl
from gdl.metrics import frechet_distance, kernel_distance, shipped_features, statistics
from gdl.metrics import shipped_features as module_or_function
from gdl.shipped import FOLDER
