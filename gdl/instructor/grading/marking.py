"""Marks one notebook: its cells run on the student's side, the checks in this process."""

import re
from collections.abc import Mapping
from typing import Any

from gdl.checks import MACHINE, OTHER_FORM, CheckFailed
from gdl.errors import CourseError
from gdl.instructor.grading.answers import Cells, causes, find_answer, place, why_stopped
from gdl.instructor.grading.collect import Submission
from gdl.instructor.grading.exercise import NOT_ANSWERED, Check, Exercise, Question, trimmed
from gdl.instructor.grading.hidden import Sentences
from gdl.instructor.grading.process import Start, StudentError
from gdl.instructor.grading.reading import read_notebook
from gdl.instructor.grading.student import Limits, Student
from gdl.instructor.grading.submission import NotRead
from gdl.instructor.grading.totals import BY_HAND

MAX_ANSWER = 20_000  # characters of one answer in a result
MAX_PROBLEMS = 50
MAX_CAUSES = 6  # of one question


class NotGraded(str):
    """The message of a check that the grader could not carry out. It gives no points, and takes none away."""


def mark(submission: Submission, exercise: Exercise, start: Start, limits: Limits) -> dict[str, Any]:
    """Marks a submission. Returns a dictionary with five entries.

    questions: points, answer, causes and checks of each question, see `answers.causes`. problems: sentences about cells that stopped,
    for the student. person: sentences for the instructor. machine_busy: whether points were lost that a quieter machine might have given.
    outside: why points were lost for none of the notebook's doing, or "". Raises GraderFailed.
    """
    person = list(submission.notes)
    cells, unreadable, unread = [], submission.problem, submission.unread
    if not unreadable:
        try:
            cells = read_notebook(submission.content)
        except CourseError as error:
            unreadable, unread = str(error), isinstance(error, NotRead)
    if unreadable:
        message = (NotGraded if unread else str)("not graded.")
        messages = {check.name: message for question in exercise.questions for check in question.checks}
        questions = [question_result(question, messages, cells) | {"causes": [unreadable]} for question in exercise.questions]
        return {"questions": questions, "problems": [unreadable], "person": [*person, unreadable], "machine_busy": False, "outside": ""}
    code = [(number, source) for number, (kind, source, _) in enumerate(cells) if kind == "code" and trimmed(source) not in exercise.skipped]
    student = Student([source for _, source in code], exercise.prelude, start, limits)
    try:
        messages = run_checks(exercise, student)
    finally:
        student.close()
    stopped = {code[index][0]: str(error).rstrip(".") for index, error in sorted(student.problems, key=lambda problem: problem[0])}
    questions = [question_result(question, messages, cells, stopped) for question in exercise.questions]
    problems = [sentence_of(number, error, cells) for number, error in list(stopped.items())[:MAX_PROBLEMS]]
    lost = any(q["points"] is not None and q["points"] < q["max"] for q in questions)
    if problems and lost:
        person.append("Not every cell ran, and points were lost: see the problems on the feedback page.")
    if student.ended:
        person.append(f"A call was stopped because {reason_of(student.ended[0])}: if the machine was busy, grade again with more --seconds.")
    for question in questions:
        if question["points"] is None and question["by_hand"]:
            missing = "" if question["answer"] else "no answer was found in its place; "
            person.append(f"{question['title']}: {missing}to be {BY_HAND}")
    failed = [f"{name} ({message})" for name, message in messages.items() if isinstance(message, NotGraded)]
    if failed:
        person.append(f"The grader itself failed in {', '.join(failed)}: run gdl grade again, or give the points of these questions by hand.")
    ended = [*student.ended, *(error for _, error in student.problems)]
    machine_busy = bool(failed) or lost and any(error.machine_busy for error in ended)
    outside = next((reason_of(error) for error in ended if error.outside), "") if lost else ""
    return {"questions": questions, "problems": problems, "person": person, "machine_busy": machine_busy, "outside": outside}


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
    except MACHINE as error:
        return NotGraded(f"not graded: the grader stopped with {type(error).__name__}{'' if hidden else f': {error}'}")
    except CheckFailed as failed:
        message, words = str(failed), failed.words
    except Exception as error:  # outside `with check`
        message, words = f"stopped with {type(error).__name__}: {error}", (OTHER_FORM,)
    else:
        return ""
    return exercise.sentences(check).message(words) if hidden else message


def reason_of(error: StudentError) -> str:
    """Why a worker has ended, without the numbers in it: how long a call took may tell what hidden lines have asked."""
    return Sentences([]).known(error.name) or "it went beyond a limit"


def sentence_of(number: int, error: str, cells: Cells) -> str:
    """The sentence about the cell at this index, which stopped with an error."""
    where = place(number, cells)
    return f"{where[0].upper()}{where[1:]} stopped: {error}.{why_stopped(cells[number][1], error)}"


def question_result(question: Question, messages: Mapping[str, str], cells: Cells, stopped: Mapping[int, str] | None = None) -> dict[str, Any]:
    """The points, answer, causes and checks of one question. stopped: the errors of cells that stopped, by index.

    The points of an open question are None, or 0 if it was left as it was.
    """
    answer = find_answer(question.name, question.title, question.names, cells)
    result: dict[str, Any] = {"name": question.name, "title": question.title, "max": question.points, "by_hand": bool(question.by_hand)}
    result |= {"answer": (answer or "")[:MAX_ANSWER], "causes": [], "checks": []}
    if question.by_hand:
        unanswered = answer is not None and trimmed(answer) in ("", trimmed(NOT_ANSWERED))
        return result | {"points": 0 if unanswered else None}
    for check in question.checks:
        message = messages[check.name]
        given = None if isinstance(message, NotGraded) else 0 if message else check.points
        result["checks"].append({"name": check.name, "points": given, "max": check.points, "message": message})
    said = " ".join(check["message"] for check in result["checks"])
    if said and cells:
        used = re.findall(r"NameError: name '(\w+)' is not defined", said)
        result["causes"] = causes(question.name, question.names, cells, stopped or {}, used)[:MAX_CAUSES]
    points = [check["points"] for check in result["checks"]]
    return result | {"points": None if None in points else sum(points)}
