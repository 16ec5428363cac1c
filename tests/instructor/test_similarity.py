"""Answers that are alike: a copy is found when its names, comments and order are changed, and independent answers are not above it."""

import json

import nbformat
import pytest
from made_results import Tags, result, sheet
from small_solution import SOLUTIONS
from small_solution import marks as nbgrader

from gdl.errors import CourseError
from gdl.instructor.grading.answers import find_answer
from gdl.instructor.grading.class_list import ClassList, Member
from gdl.instructor.grading.exercise import Exercise
from gdl.instructor.similarity.fingerprint import of_code, of_text
from gdl.instructor.similarity.pairs import nearest_pairs
from gdl.instructor.similarity.similar import known_parts, similar

# The same two functions by eight people: the KL of a normal distribution, and the loss of a VAE.
INDEPENDENT = [
    """def kl(m, a):
    v = np.exp(a)
    return np.sum(m ** 2 + v - 1 - a, axis=1) / 2
def loss(x, y, k, beta):
    y = np.clip(y, 1e-6, 1 - 1e-6)
    r = -np.sum(x * np.log(y) + (1 - x) * np.log(1 - y), axis=(1, 2, 3))
    return (r + beta * k).mean(), r.mean(), k.mean()""",
    """def kl(m, a):
    total = np.zeros(len(m))
    for j in range(m.shape[1]):
        total = total + 0.5 * (m[:, j] * m[:, j] + np.exp(a[:, j]) - 1 - a[:, j])
    return total
def loss(x, y, k, beta):
    eps = 1e-7
    y = np.minimum(np.maximum(y, eps), 1 - eps)
    bce = x * np.log(y) + (1 - x) * np.log1p(-y)
    bce = -bce.reshape(len(x), -1).sum(-1)
    return np.average(bce) + beta * np.average(k), np.average(bce), np.average(k)""",
    """def kl(m, a):
    return -0.5 * (1 + a - np.square(m) - np.exp(a)).sum(1)
def loss(x, y, k, beta):
    safe = np.where(y < 1e-7, 1e-7, np.where(y > 1 - 1e-7, 1 - 1e-7, y))
    per_image = np.array([-(t * np.log(p) + (1 - t) * np.log(1 - p)).sum() for t, p in zip(x, safe)])
    reconstruction, divergence = per_image.mean(), np.mean(k)
    return reconstruction + beta * divergence, reconstruction, divergence""",
    """def kl(m, a):
    sigma = np.sqrt(np.exp(a))
    per_dim = -np.log(sigma) + (sigma ** 2 + m ** 2) / 2 - 0.5
    return np.einsum("ij->i", per_dim)
def loss(x, y, k, beta):
    from scipy.special import xlogy
    rec = -(xlogy(x, np.clip(y, 1e-7, None)) + xlogy(1 - x, np.clip(1 - y, 1e-7, None)))
    rec = rec.sum(axis=3).sum(axis=2).sum(axis=1)
    return float(np.mean(rec + k * beta)), float(rec.mean()), float(np.mean(k))""",
    """def kl(m, a):
    result = []
    for mean, log_v in zip(m, a):
        result.append(sum(mu ** 2 + np.exp(l) - 1 - l for mu, l in zip(mean, log_v)) * 0.5)
    return np.array(result)
def loss(x, y, k, beta):
    n = x.shape[0]
    y = y * (1 - 2e-7) + 1e-7
    e = np.log(y) * x
    e += np.log(1 - y) * (1 - x)
    rec = -e.sum() / n
    return rec + beta * k.sum() / n, rec, k.sum() / n""",
    """def kl(m, a):
    return stats_kl(m, a).sum(axis=-1)
def stats_kl(m, a):
    squared = np.power(m, 2)
    return (squared - a + np.expm1(a)) / 2
def loss(x, y, k, beta):
    def log(t):
        return np.log(np.clip(t, 1e-8, 1.0))
    cross = np.negative(np.multiply(x, log(y)) + np.multiply(np.subtract(1, x), log(1 - y)))
    cross = np.sum(np.reshape(cross, (cross.shape[0], -1)), 1)
    average = np.mean
    return average(cross) + beta * average(k), average(cross), average(k)""",
    """def kl(m, a):
    x = np.stack([m ** 2, np.exp(a), -np.ones_like(m), -a])
    return x.sum(axis=(0, 2)) / 2
def loss(x, y, k, beta):
    out = {}
    y = np.clip(y, a_min=1e-7, a_max=0.9999999)
    out["r"] = np.mean(np.sum(-x * np.log(y) - (1 - x) * np.log(1 - y), axis=(1, 2, 3)))
    out["k"] = np.mean(k)
    out["l"] = out["r"] + beta * out["k"]
    return out["l"], out["r"], out["k"]""",
    """def kl(m, a):
    m, a = np.asarray(m), np.asarray(a)
    trace = np.trace(np.exp(a)[:, :, None] * np.eye(a.shape[1]), axis1=1, axis2=2)
    return 0.5 * (np.linalg.norm(m, axis=1) ** 2 + trace - a.shape[1] - a.sum(axis=1))
def loss(x, y, k, beta):
    flat = lambda t: t.reshape(t.shape[0], -1)
    p, t = flat(np.clip(y, 1e-7, 1 - 1e-7)), flat(x)
    nll = -(t * np.log(p / (1 - p)) + np.log(1 - p)).sum(axis=1)
    return np.mean(nll) + beta * np.mean(k), np.mean(nll), np.mean(k)""",
]
# the fifth one, with other names, comments, a docstring, type hints, blank lines and another layout
COPY = '''def kl(mu: np.ndarray, logvar: np.ndarray):
    """My own KL, written by me."""
    kls = []   # one for each image

    for row_mean, row_log in zip(mu, logvar):  # go through the batch
        kls.append(
            sum(q ** 2 + np.exp(w) - 1 - w for q, w in zip(row_mean, row_log)) * 0.5
        )
    return np.array(kls)


def loss(images, copies, divergences, weight):
    batch = images.shape[0]
    copies = copies * (1 - 2e-7) + 1e-7
    entropy = np.log(copies) * images
    entropy += np.log(1 - copies) * (1 - images)   # the other half
    first = -entropy.sum() / batch
    return first + weight * divergences.sum() / batch, first, divergences.sum() / batch
'''
SOLUTION = """def kl(m, a):
    ### BEGIN SOLUTION
    return 0.5 * np.sum(m**2 + np.exp(a) - 1 - a, axis=1)
    ### END SOLUTION"""


def folder_with(tmp_path, codes, texts=None):
    """A folder of marks with one result for each code."""
    (tmp_path / "marks" / "results").mkdir(parents=True)
    for number, code in enumerate(codes):
        one = result(f"Student {number}", str(number), open_points=1, name=f"s{number:02d}__02_vae")
        one["questions"][0]["answer"] = code
        one["questions"][1]["answer"] = texts[number] if texts else ""
        (tmp_path / "marks" / "results" / f"{one['name']}.json").write_text(json.dumps(one), encoding="utf-8")
    cells = [nbformat.v4.new_markdown_cell("# Exercise"), nbformat.v4.new_code_cell(SOLUTION, metadata=nbgrader("q1", solution=True))]
    cells.append(nbformat.v4.new_markdown_cell("The model answer.", metadata=nbgrader("q2", grade=True, solution=True, points=2)))
    (tmp_path / "solutions").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "solutions" / "02_vae.ipynb")
    return tmp_path / "marks", tmp_path / "solutions"


def test_a_copy_with_other_names_and_comments_has_the_same_fingerprint():
    assert of_code(COPY) == of_code(INDEPENDENT[4])
    assert all(of_code(one) != of_code(other) for k, one in enumerate(INDEPENDENT) for other in INDEPENDENT[:k])
    assert of_code("def f(x:\n  # half\n  return") == of_code("def f(x:\n  return  # all") != of_code("")  # does not parse
    assert of_code("%time f()\nre.sub('\\d', 'x', t)") == of_code("!ls\nre.sub('y', '', t)")  # and no warning
    assert of_text("The KL, is NEVER below 0.") == of_text("the kl is never\nbelow 0")


def test_a_copy_is_found_and_independent_answers_are_not_above(tmp_path):
    listed = similar(*folder_with(tmp_path, [*INDEPENDENT, COPY]), shown=50)
    assert len(listed) == 36
    (_, first), (_, second) = listed[:2]
    assert (first.first, first.second) == (4, 8)
    assert first.score > 0.8 and second.score < 0.25, "it stands out"
    row = sheet(tmp_path / "marks" / "similar.csv")[0]
    assert (row["student"], row["other student"]) == ("Student 4", "Student 8") and float(row["score"]) == round(first.score, 3)
    words = "".join(Tags((tmp_path / "marks" / "similar.html").read_text(encoding="utf-8")).words)
    assert "A high score is no proof." in words and "My own KL, written by me." in words and "9 students, 36 pairs." in words


def test_the_same_question_of_both_is_shown_in_whatever_order_their_results_have_it(tmp_path):
    marks, solutions = folder_with(tmp_path, [*INDEPENDENT, COPY])
    path = marks / "results" / "s08__02_vae.json"
    one = json.loads(path.read_text(encoding="utf-8"))
    one["questions"].reverse()
    path.write_text(json.dumps(one), encoding="utf-8")
    similar(marks, solutions)
    assert "My own KL, written by me." in "".join(Tags((marks / "similar.html").read_text(encoding="utf-8")).words)


def test_a_copy_of_a_part_that_was_changed_is_still_first(tmp_path):
    """The loss alone was copied, its lines are in another order, and something was added."""
    part = INDEPENDENT[0].split("def loss")[0] + "def loss" + COPY.split("def loss")[1].replace("    batch = images.shape[0]\n", "")
    part = part.replace("    first = ", "    batch = images.shape[0]\n    print('loss')\n    first = ")
    (_, first), (_, second), *_ = similar(*folder_with(tmp_path, [*INDEPENDENT[1:], part]))
    assert (first.first, first.second) == (3, 7)
    assert first.score > 2 * second.score


def test_answers_like_the_solution_are_not_alike(tmp_path):
    """Who writes the formula as the course does has not copied it from another who does so too."""
    same = "def kl(mean, log_var):\n    return 0.5 * np.sum(mean**2 + np.exp(log_var) - 1 - log_var, axis=1)"
    untouched = "def kl(m, a):\n    raise NotImplementedError('This question waits for your answer.')"
    listed = similar(*folder_with(tmp_path, [same, same, untouched, untouched, *INDEPENDENT]), shown=200)
    scores = {(pair.first, pair.second): pair.score for _, pair in listed}
    assert scores[0, 1] == 0 and scores[2, 3] == 0


def test_open_answers(tmp_path):
    texts = [f"The clouds of student {k} are narrow because {k} is a number that nobody else has, so {k} it is." for k in range(8)]
    texts[2] = (
        "Narrow clouds cost too little here, since the width that is charged is the square root of the one that is drawn, as one sees in the sum."
    )
    texts[6] = "Clearly, narrow clouds cost too little here, since the width that is charged is the square root of the one that is drawn!"
    _, pair = similar(*folder_with(tmp_path, INDEPENDENT, texts))[0]
    assert (pair.first, pair.second) == (2, 6) and pair.by_question["q2"] > 0.4 > 2 * pair.by_question["q1"]


def test_partners_are_not_compared(tmp_path):
    folders = folder_with(tmp_path, [*INDEPENDENT, COPY])
    members = [Member(f"Student {k}", str(k), pair="a" if k in (4, 8) else "b" if k == 1 else "") for k in range(9)]
    assert (4, 8) not in [(pair.first, pair.second) for _, pair in similar(*folders, ClassList(members), 50)]


def test_small_and_strange_classes(tmp_path):
    assert nearest_pairs([], {}) == []
    code = of_code(COPY)
    (pair,) = nearest_pairs([{"q1": code}, {"q1": code}], {})
    assert 0 < pair.score < 1
    assert nearest_pairs([{"q1": of_code("")}, {"q1": of_code("x")}], {})[0].score == 0
    with pytest.raises(CourseError, match="grade first"):
        similar(tmp_path)
    folders = folder_with(tmp_path, ["<script>alert(1)</script>" * 30, "<script>alert(1)</script>" * 30, "(" * 3000])
    with pytest.raises(CourseError, match="--pairs 0"):
        similar(*folders, shown=0)
    similar(*folders)
    assert "script" not in Tags((tmp_path / "marks" / "similar.html").read_text(encoding="utf-8")).tags


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_solution_of_each_exercise_counts_for_nothing(path):
    """Two students who hand in the course's own answers have nothing in common that others have not."""
    cells = [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in nbformat.read(path, as_version=4).cells]
    exercise = Exercise(path)
    answers = {question.name: find_answer(question.name, question.title, question.names, cells) for question in exercise.questions}
    student = {question.name: (of_text if question.by_hand else of_code)(answers[question.name]) for question in exercise.questions}
    assert all(student[question.name] for question in exercise.questions)
    (pair,) = nearest_pairs([student, student], known_parts(path))
    assert pair.score < 0.1
