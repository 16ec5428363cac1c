"""The course's own exercises: their form, the solutions, the untouched notebooks, and the commonest wrong answers."""

import ast
import re
import shutil

import nbformat
import pytest
from conftest import ROOT
from wrong_answers import other_right_answers, wrong_answers

from gdl.checks import CheckFailed
from gdl.instructor.grading import sandbox
from gdl.instructor.grading.exercise import Exercise, role_of
from gdl.instructor.grading.marking import run_check
from gdl.instructor.grading.student import Limits, Student

pytestmark = pytest.mark.slow  # grades every exercise
CHAPTERS = sorted(path.stem for path in (ROOT / "solutions").glob("[0-9][0-9]_*.ipynb"))
LIMITS = Limits(60, 600)
needs_sandbox = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed: nothing can be graded without it")


def solution(name):
    return ROOT / "solutions" / f"{name}.ipynb"


@pytest.fixture(scope="module", autouse=True)
def checks_raise():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDL_CHECKS", "raise")
        yield


@pytest.mark.parametrize("name", CHAPTERS)
def test_an_exercise_keeps_the_form(name):
    exercise = Exercise(solution(name))
    notebook = nbformat.read(solution(name), as_version=4)
    graded = [question for question in exercise.questions if not question.by_hand and question.points]
    assert exercise.title.startswith(f"Exercise {name[:2]} · ")
    assert 4 <= len(graded) <= 6
    assert [question.by_hand for question in exercise.questions if question.by_hand] == [4]
    assert exercise.points == 20
    assert [question.name for question in graded] == [f"q{i}" for i in range(1, len(graded) + 1)]
    assert [check.points for question in exercise.questions if question.name == "stretch" for check in question.checks].count(0) >= 1
    assert "minutes" in notebook.cells[0].source and f"chapter {name[:2]}" in notebook.cells[0].source.lower()
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert texts.count("<details>") == texts.count("</details>") >= 4
    for cell in notebook.cells:
        role, cell_name = role_of(cell)
        if cell.cell_type == "code":
            visible = re.sub(r"### BEGIN (SOLUTION|HIDDEN TESTS).*?### END \1", "", cell.source, flags=re.DOTALL)
            assert len(visible.splitlines()) <= 25, cell_name
            assert not cell.outputs
        if role == "answer":
            assert "### BEGIN SOLUTION" in cell.source and "### END SOLUTION" in cell.source, cell_name
            assert len(cell.source.splitlines()) <= 30, cell_name
    for question in graded:
        assert any("BEGIN HIDDEN TESTS" in check.source for check in question.checks), question.name
        assert any("with check(" in re.sub(r"### BEGIN HIDDEN.*?### END HIDDEN", "", check.source, flags=re.DOTALL) for check in question.checks), (
            question.name
        )


@pytest.mark.parametrize("name", CHAPTERS)
def test_given_code_calls_no_answer(name):
    """Given code runs in the grader, where answers are not defined: a check hands them over, as in `moved_rightly(one_turn, ...)`."""
    exercise = Exercise(solution(name))
    for function in (node for source in exercise.given for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)):
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        own = {argument.arg for argument in function.args.args} | {node.id for node in names if isinstance(node.ctx, ast.Store)}
        assert not ({node.id for node in names} - own) & exercise.names, function.name


def names_set_by(node):
    """The names that code sets in the notebook: those within functions and comprehensions are their own."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)):
        return set()
    own = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    return own.union(*map(names_set_by, ast.iter_child_nodes(node)))


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_check_or_picture_replaces_an_answer(name):
    """A check that sets `train` to an array would take the student's function `train` from the cells below it."""
    exercise = Exercise(solution(name))
    for cell in nbformat.read(solution(name), as_version=4).cells:
        if role_of(cell)[0] in ("check", "look"):
            assert not names_set_by(ast.parse(cell.source)) & exercise.names, role_of(cell)[1]


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_instructors_page_names_every_wrong_answer(name):
    page = (ROOT / "solutions" / f"{name}.md").read_text(encoding="utf-8")
    exercise = Exercise(solution(name))
    whole = {question.name: question.points for question in exercise.questions}
    for question, mistake, points, _ in wrong_answers(name):
        assert f"{mistake} ({points} of {whole[question]})" in page
    for question in exercise.questions:
        if not question.by_hand and question.points:
            assert sum(entry[0] == question.name for entry in wrong_answers(name)) >= 2, question.name


def test_the_readmes_list_every_exercise():
    students, instructors = (path.read_text(encoding="utf-8") for path in (ROOT / "README.md", ROOT / "solutions" / "README.md"))
    for name in CHAPTERS:
        first = nbformat.read(solution(name), as_version=4).cells[0].source
        minutes = re.search(r"(\d+) minutes", first)[1]
        points = " + ".join(str(question.points) for question in Exercise(solution(name)).questions if question.points)
        assert re.search(rf"\(exercises/{name}\.ipynb\):.*\| {minutes} \|", students)
        assert re.search(rf"\({name}\.md\) \| {re.escape(points)} \| {minutes} \|", instructors)


@needs_sandbox
@pytest.mark.parametrize("name", CHAPTERS)
def test_wrong_and_other_right_answers_get_what_they_are_worth(name):
    exercise = Exercise(solution(name))
    cells = nbformat.read(solution(name), as_version=4).cells
    right = [(cell_name, cell.source) for role, cell_name, cell in ((*role_of(cell), cell) for cell in cells) if role == "answer"]
    student = Student(
        [cell.source for cell in cells if role_of(cell)[0] in ("set-up", "given", "answer")], exercise.prelude, sandbox.sandboxed, LIMITS
    )
    try:
        student.run()
        assert not student.problems
        for question in exercise.questions:
            right_ones = [(*entry[:2], question.points, entry[2]) for entry in other_right_answers(name)]
            for _, mistake, points, source in (entry for entry in wrong_answers(name) + right_ones if entry[0] == question.name):
                student.worker.request(60, do="run", source=source)
                messages = {check.name: run_check(check, exercise, student, hidden=True) for check in question.checks}
                assert sum(check.points for check in question.checks if not messages[check.name]) == points, (mistake, messages)
                for cell_name, answer in right:
                    if cell_name == question.name or cell_name.startswith(f"{question.name}_"):
                        student.worker.request(60, do="run", source=answer)
    finally:
        student.close()


@needs_sandbox
def test_the_notebook_and_the_grader_agree_about_arrays_that_an_answer_changes():
    """In a notebook an answer and its checks share their arrays, in the grader they do not. The visible lines must say the same in both."""
    name, question = "05_wgan", "q3"
    exercise, cells = Exercise(solution(name)), nbformat.read(solution(name), as_version=4).cells
    sources = [cell.source for cell in cells if role_of(cell)[0] in ("given", "answer")]
    student = Student(sources, exercise.prelude, sandbox.sandboxed, LIMITS)
    namespace = {"__name__": "notebook"}
    for cell in cells:
        if role_of(cell)[0] in ("given", "student-side", "answer"):
            exec(cell.source, namespace)
    checks = next(one.checks for one in exercise.questions if one.name == question)
    try:
        student.run()
        for entry in wrong_answers(name) + other_right_answers(name):
            if entry[0] == question:
                exec(entry[-1], namespace)
                student.worker.request(60, do="run", source=entry[-1])
                for check in checks:
                    visible = re.sub(r"### BEGIN HIDDEN.*?### END HIDDEN TESTS", "", check.source, flags=re.DOTALL)
                    try:
                        exec(visible, dict(namespace))
                        in_notebook = True
                    except CheckFailed:
                        in_notebook = False
                    assert in_notebook == (run_check(check, exercise, student, hidden=False) == ""), (entry[1], check.name)
    finally:
        student.close()


@needs_sandbox
def test_the_solutions_get_all_points_and_untouched_exercises_none(tmp_path):
    from gdl.instructor.grading.grade import grade

    for name in CHAPTERS:
        for student, folder in (("Right", "solutions"), ("Untouched", "exercises")):
            target = tmp_path / "handed in" / f"{student}_{1000 + len(student)}_{name}.ipynb"
            target.parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / folder / f"{name}.ipynb", target)
    results = grade(tmp_path / "handed in", tmp_path / "marks", ROOT / "solutions", seconds=60)
    assert len(results) == 2 * len(CHAPTERS)
    for result in results:
        assert not result["problems"], result
        automatic = [question for question in result["questions"] if not question["by_hand"]]
        by_hand = [question["points"] for question in result["questions"] if question["by_hand"]]
        if result["student"] == "Right":
            assert all(question["points"] == question["max"] for question in automatic), result
            assert by_hand == [None]
        else:
            assert sum(question["points"] for question in automatic) == 0, result
            assert by_hand == [0]
