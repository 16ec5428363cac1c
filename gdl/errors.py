"""The one exception that the course raises for a problem which the reader can mend."""


class CourseError(Exception):
    """A problem that the reader can mend: one sentence with what, where, and how to mend it.

    The command line prints the sentence and exits with status 1; a notebook shows the
    sentence alone, without the stack of calls that led to it.
    """

    def _render_traceback_(self):  # IPython asks an exception for this before it prints a stack
        return [f"{type(self).__name__}: {self}"]


class DataError(CourseError):
    """Images, tables or a cache that cannot be used as they are."""
