"""What students and instructors get to read: see feedback, summary, tables and marks."""

from gdl.instructor.grading.feedback import feedback_page
from gdl.instructor.grading.marks import read_marks
from gdl.instructor.grading.summary import summary_page
from gdl.instructor.grading.tables import write_tables

__all__ = ["feedback_page", "read_marks", "summary_page", "write_tables"]
