"""What students and instructors get to read: see feedback, summary, tables and marks."""

from gdl.grading.feedback import feedback_page
from gdl.grading.marks import read_marks
from gdl.grading.summary import summary_page
from gdl.grading.tables import write_tables

__all__ = ["feedback_page", "read_marks", "summary_page", "write_tables"]
