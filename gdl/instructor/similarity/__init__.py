"""Which students' answers are most alike: `python -m gdl similar MARKS`. A person judges what that means."""
