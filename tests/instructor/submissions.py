"""Folders of submissions for tests."""

import io
import json
import os
import zipfile

from gdl.instructor.grading.collect import collect

EXERCISES = {
    "01_autoencoder": "Exercise 01 · The autoencoder",
    "02_vae": "Exercise 02 · The variational autoencoder",
    "05_wgan": "Exercise 05 · The Wasserstein GAN",
    "06_wgan_gp": "Exercise 06 · The gradient penalty",
}
QUESTIONS = {
    "02_vae": ["Question 1 · The closed form", "Question 2 · The sampling layer"],
    "05_wgan": ["Question 1 · Clipping", "Question 2 · The critic"],
}


def notebook(*cells, heading="", **more):
    """The bytes of a notebook with these code cells and a heading."""
    made = [{"cell_type": "markdown", "metadata": {}, "source": [f"{heading}\n", "text"]}] if heading else []
    made += [{"cell_type": "code", "metadata": {}, "source": cell, "outputs": [], "execution_count": None} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made} | more).encode()


def put(folder, files):
    """Writes files, path to bytes, where bytes may be (bytes, hours of age)."""
    for path, content in files.items():
        content, age = content if isinstance(content, tuple) else (content, 0)
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (1.7e9 - 3600 * age,) * 2)
    return folder


def zipped(files, **options):
    """The bytes of a zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return made.getvalue()


def rows(folder, exercise=None, **more):
    """(student, identifier, exercise, file) of each usable submission; nothing else may be there."""
    submissions, problems = collect(folder, EXERCISES, exercise, **more)
    assert not problems
    assert not [one for one in submissions if one.problem]
    return [(one.student, one.identifier, one.exercise, one.file) for one in submissions]


def bad(folder, **more):
    """(student, problem) of each submission that cannot be graded, and the problems."""
    submissions, problems = collect(folder, EXERCISES, **more)
    return {one.student: one.problem for one in submissions if one.problem}, dict(problems)


A, B, C = notebook("a = 1"), notebook("b = 2"), notebook("c = 3")
