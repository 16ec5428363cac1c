"""The page on which a person marks open answers: `python -m gdl mark MARKS`."""
