"""The final project: what a hand-in is, how it is checked, and the leaderboard of a class. `python -m gdl project`."""
