"""The exception that the course raises for a problem that the reader can fix."""


class CourseError(Exception):
    """A problem that the reader can fix, in one sentence: what is wrong, where, and how to fix it.

    The command line prints the sentence and exits with status 1. A notebook shows the sentence
    without the traceback.

    >>> import gdl
    >>> try:
    ...     gdl.drawn.factors(-1)
    ... except gdl.CourseError as error:
    ...     print(error)
    n is -1: give a whole number, at least 0.
    """

    def _render_traceback_(self):  # IPython calls this in place of printing a traceback
        return [f"{type(self).__name__}: {self}"]


class DataError(CourseError):
    """Images, tables or a cache that cannot be used as they are.

    >>> import gdl
    >>> try:
    ...     gdl.DrawnFaces(size=60)
    ... except gdl.DataError as error:
    ...     print(str(error).partition(":")[2])
     choose 48 or 64 (any multiple of 16 from 16 to 512).
    """
