"""Training: `gdl.train`, the folder that a run writes, and the callbacks around the training step."""
