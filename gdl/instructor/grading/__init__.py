"""The grader: runs students' notebooks in a sandbox and marks them from outside."""
