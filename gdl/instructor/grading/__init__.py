"""The grader: runs students' notebooks in a sandbox, and checks their answers outside it."""
