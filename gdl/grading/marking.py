"""Marks one notebook: its cells run on the student's side, the checks here."""

from itertools import pairwise

from gdl.checks import CheckFailed
from gdl.errors import CourseError
from gdl.grading.collect import read_notebook
from gdl.grading.exercise import NOT_ANSWERED, bare
from gdl.grading.student import Student


def mark(submission, exercise, start, limits):
    """Questions, problems and what needs a person, as the report wants them."""
    person = list(submission.notes)
    problems = []
    cells = []
    if submission.problem is None:
        try:
            cells = read_notebook(submission.content)
        except CourseError as error:
            person.append(str(error))
    else:
        person.append(submission.problem)
    code = [(number, source) for number, (kind, source, _) in enumerate(cells, 1) if kind == "code" and bare(source) not in exercise.skipped]
    student = Student([source for _, source in code], exercise.harness, start, limits)
    try:
        questions = [question_result(question, exercise, student, cells) for question in exercise.questions]
    finally:
        student.close()
    for number, error in sorted(student.problems, key=lambda problem: problem[0]):
        problems.append(f"Cell {code[number][0]} stopped: {error}.")
    lost = any(q["points"] is not None and q["points"] < q["max"] for q in questions)
    if problems and lost:
        person.append("Not every cell ran, and points were lost: see the problems on the feedback page.")
    for question in questions:
        if question["points"] is None:
            person.append(f"{question['title']}: marked by hand.")
    return {"questions": questions, "problems": problems, "person": person}


def question_result(question, exercise, student, cells):
    """One question's points, answer and checks."""
    answer = answer_to(question, cells)
    result = {
        "name": question.name,
        "title": question.title,
        "max": question.points,
        "by_hand": bool(question.by_hand),
        "answer": answer,
        "checks": [],
    }
    if question.by_hand:
        unanswered = bare(answer) in ("", bare(NOT_ANSWERED))
        return result | {"points": 0 if unanswered else None}
    for check in question.checks:
        message = run_check(check, exercise, student)
        result["checks"].append({"name": check.name, "points": 0 if message else check.points, "max": check.points, "message": message})
    return result | {"points": sum(check["points"] for check in result["checks"])}


def run_check(check, exercise, student):
    """What a check has to say, "" if all is well."""
    try:
        exercise.run_check(check, student)
    except CourseError:  # of the grader, not of the student
        raise
    except CheckFailed as failed:
        return str(failed)
    except Exception as error:  # outside `with check`
        return f"stopped with {type(error).__name__}: {error}"
    return ""


def answer_to(question, cells):
    """What the student wrote as the answer: the cell that says so, else the last that defines its names or follows its heading."""
    for _, source, metadata in cells:
        marks = metadata.get("nbgrader")
        if isinstance(marks, dict) and marks.get("grade_id") == question.name and marks.get("solution"):
            return source
    if question.by_hand:
        texts = [source for kind, source, _ in cells if kind == "markdown"]
        for heading, text in pairwise(texts):
            if any(line.lstrip("# ") == question.title for line in heading.splitlines()):
                return text
        return ""
    defining = [source for kind, source, _ in cells if kind == "code" and any(f"def {name}" in source for name in question.names)]
    return defining[-1] if defining else ""
