"""Marks one notebook: its cells run on the student's side, the checks in this process."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from gdl.checks import OTHER_FORM, CheckFailed
from gdl.errors import CourseError
from gdl.instructor.grading.collect import Submission
from gdl.instructor.grading.exercise import NOT_ANSWERED, Check, Exercise, Question, trimmed
from gdl.instructor.grading.hidden import Sentences
from gdl.instructor.grading.process import Start, StudentError
from gdl.instructor.grading.reading import read_notebook
from gdl.instructor.grading.student import Limits, Student
from gdl.instructor.grading.totals import BY_HAND

MAX_ANSWER = 20_000  # characters of one answer in a result
MAX_PROBLEMS = 50
Cells = Sequence[tuple[str, str, dict[str, Any]]]  # (cell_type, source, metadata)


def mark(submission: Submission, exercise: Exercise, start: Start, limits: Limits) -> dict[str, Any]:
    """Marks a submission. Returns a dictionary with four entries.

    questions: points, answer and checks of each question. problems: sentences about cells that stopped, for the student.
    person: sentences for the instructor. machine_busy: whether points were lost that a quieter machine might have given.
    """
    person = list(submission.notes)
    cells, unreadable = [], submission.problem
    if not unreadable:
        try:
            cells = read_notebook(submission.content)
        except CourseError as error:
            unreadable = str(error)
    if unreadable:
        messages = {check.name: "the file could not be read." for question in exercise.questions for check in question.checks}
        questions = [question_result(question, messages, cells) for question in exercise.questions]
        return {"questions": questions, "problems": [unreadable], "person": [*person, unreadable], "machine_busy": False}
    code = [(number, source) for number, (kind, source, _) in enumerate(cells, 1) if kind == "code" and trimmed(source) not in exercise.skipped]
    student = Student([source for _, source in code], exercise.prelude, start, limits)
    try:
        messages = run_checks(exercise, student)
    finally:
        student.close()
    questions = [question_result(question, messages, cells) for question in exercise.questions]
    problems = [f"Cell {code[index][0]} stopped: {error}." for index, error in sorted(student.problems, key=lambda problem: problem[0])]
    lost = any(q["points"] is not None and q["points"] < q["max"] for q in questions)
    if problems and lost:
        person.append("Not every cell ran, and points were lost: see the problems on the feedback page.")
    if student.ended:
        reason = Sentences([]).known(student.ended[0].name) or "it went beyond a limit"
        person.append(f"A call was stopped because {reason}: if the machine was busy, grade again with more --seconds.")
    for question in questions:
        if question["points"] is None:
            missing = "" if question["answer"] else "no answer was found in its place; "
            person.append(f"{question['title']}: {missing}to be {BY_HAND}")
    machine_busy = lost and any(error.machine_busy for error in [*student.ended, *(error for _, error in student.problems)])
    return {"questions": questions, "problems": problems[:MAX_PROBLEMS], "person": person, "machine_busy": machine_busy}


def run_checks(exercise: Exercise, student: Student) -> dict[str, str]:
    """The message of each check by its name, "" if the check succeeds.

    First the cells run and the visible lines of all checks, which the student has seen and whose errors may be shown in full. Only then
    the hidden lines run, with the visible ones on which they depend. From then on no text of the student's is kept, see `hidden`.
    """
    checks = [check for question in exercise.questions for check in question.checks]
    try:
        student.run()
    except StudentError:  # the calls below say so
        pass
    messages = {check.name: run_check(check, exercise, student, hidden=False) for check in checks}
    student.hidden = True
    return {check.name: messages[check.name] or run_check(check, exercise, student, hidden=True) for check in checks}


def run_check(check: Check, exercise: Exercise, student: Student, hidden: bool) -> str:
    """The message of one check, "" if it succeeds. hidden: whether its hidden lines run too."""
    words: tuple[str, ...]
    try:
        exercise.run_check(check, student, hidden)
    except CourseError:  # of the grader, not of the student
        raise
    except CheckFailed as failed:
        message, words = str(failed), failed.words
    except Exception as error:  # outside `with check`
        message, words = f"stopped with {type(error).__name__}: {error}", (OTHER_FORM,)
    else:
        return ""
    return exercise.sentences(check).message(words) if hidden else message


def question_result(question: Question, messages: Mapping[str, str], cells: Cells) -> dict[str, Any]:
    """The points, answer and checks of one question. The points of an open question are None, or 0 if it was left as it was."""
    answer = find_answer(question, cells)
    result: dict[str, Any] = {"name": question.name, "title": question.title, "max": question.points, "by_hand": bool(question.by_hand)}
    result |= {"answer": (answer or "")[:MAX_ANSWER], "checks": []}
    if question.by_hand:
        unanswered = not cells or (answer is not None and trimmed(answer) in ("", trimmed(NOT_ANSWERED)))
        return result | {"points": 0 if unanswered else None}
    for check in question.checks:
        message = messages[check.name]
        result["checks"].append({"name": check.name, "points": 0 if message else check.points, "max": check.points, "message": message})
    return result | {"points": sum(check["points"] for check in result["checks"])}


def find_answer(question: Question, cells: Cells) -> str | None:
    """The student's answer, or None: the cell that nbgrader's metadata names, or else the last cell that defines the question's functions.

    For an open question without metadata: the text below the question's heading.
    """
    for _, source, metadata in cells:
        marks = metadata.get("nbgrader")
        if isinstance(marks, dict) and marks.get("grade_id") == question.name and marks.get("solution"):
            return source
    if question.by_hand:
        texts = [source for kind, source, _ in cells if kind == "markdown"]
        for heading, text in pairwise(texts):
            if any(line.lstrip("# ") == question.title for line in heading.splitlines()):
                return text
        return None
    defining = [source for kind, source, _ in cells if kind == "code" and any(f"def {name}" in source for name in question.names)]
    return defining[-1] if defining else None
