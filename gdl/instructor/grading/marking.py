"""Marks one notebook: its cells run on the student's side, the checks here."""

from itertools import pairwise

from gdl.checks import CheckFailed
from gdl.errors import CourseError
from gdl.instructor.grading.collect import read_notebook
from gdl.instructor.grading.exercise import NOT_ANSWERED, bare
from gdl.instructor.grading.student import Student

MOST_LETTERS = 20_000  # of one answer in a result
MOST_PROBLEMS = 50


def mark(submission, exercise, start, limits):
    """Questions, problems and what needs a person, as the report wants them; and whether it was ended for want of time or memory."""
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
        return {"questions": questions, "problems": [unreadable], "person": [*person, unreadable], "hurried": False}
    problems = []
    code = [(number, source) for number, (kind, source, _) in enumerate(cells, 1) if kind == "code" and bare(source) not in exercise.skipped]
    student = Student([source for _, source in code], exercise.prelude, start, limits)
    try:
        messages = run_checks(exercise, student)
    finally:
        student.close()
    questions = [question_result(question, messages, cells) for question in exercise.questions]
    for number, error in sorted(student.problems, key=lambda problem: problem[0]):
        problems.append(f"Cell {code[number][0]} stopped: {error}.")
    lost = any(q["points"] is not None and q["points"] < q["max"] for q in questions)
    if problems and lost:
        person.append("Not every cell ran, and points were lost: see the problems on the feedback page.")
    if student.ended:
        person.append(f"A call was ended, because {student.ended[0]}: if the machine was busy, grade again with more --seconds.")
    for question in questions:
        if question["points"] is None:
            found = "" if question["answer"] else "no answer was found in its place; "
            person.append(f"{question['title']}: {found}marked by hand.")
    hurried = lost and any(error.hurried for error in [*student.ended, *(error for _, error in student.problems)])
    return {"questions": questions, "problems": problems[:MOST_PROBLEMS], "person": person, "hurried": hurried}


def run_checks(exercise, student):
    """What each check has to say, "" if all is well, by its name.

    First come the visible lines of all checks, which the student has seen and may be told everything about. Only then come the
    hidden ones: no visible check runs after them, whose error could tell what a function was asked before.
    """
    checks = [check for question in exercise.questions for check in question.checks]
    messages = {check.name: run_check(check, exercise, student, hidden=False) for check in checks}
    return {check.name: messages[check.name] or run_check(check, exercise, student, hidden=True) for check in checks}


def run_check(check, exercise, student, hidden):
    """What a check has to say, "" if all is well."""
    try:
        exercise.run_check(check, student, hidden)
    except CourseError:  # of the grader, not of the student
        raise
    except CheckFailed as failed:
        return str(failed)
    except Exception as error:  # outside `with check`
        return f"stopped with {type(error).__name__}: {error}"
    return ""


def question_result(question, messages, cells):
    """One question's points, answer and checks."""
    answer = answer_to(question, cells)
    result = {"name": question.name, "title": question.title, "max": question.points, "by_hand": bool(question.by_hand)}
    result |= {"answer": (answer or "")[:MOST_LETTERS], "checks": []}
    if question.by_hand:
        unanswered = not cells or (answer is not None and bare(answer) in ("", bare(NOT_ANSWERED)))
        return result | {"points": 0 if unanswered else None}
    for check in question.checks:
        message = messages[check.name]
        result["checks"].append({"name": check.name, "points": 0 if message else check.points, "max": check.points, "message": message})
    return result | {"points": sum(check["points"] for check in result["checks"])}


def answer_to(question, cells):
    """What the student wrote as the answer: the cell that says so, else the last that defines its names or follows its heading, else None."""
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
