"""For instructors: the exercises made from the solutions, and the grader."""
