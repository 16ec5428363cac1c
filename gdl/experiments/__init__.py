"""Experiments: files that say what to train and compare, and the commands that train, measure and report it."""
