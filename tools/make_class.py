"""Makes the notebooks of a class, to rehearse a term with the grader: python tools/make_class.py 02_vae rehearsal

Writes rehearsal/submissions with files as Moodle names them, and rehearsal/students.csv. The notebooks are copies of the solution. In most of
them some answers are replaced by wrong ones of tests/instructor/wrong_answers/, and the open answers by sentences of different length. One
student in fifteen hands in nothing, the first two are a pair with one notebook, and the third is two days late.
"""

import argparse
import random
import sys
from pathlib import Path

import nbformat

from gdl.instructor.grading.exercise import NOT_ANSWERED, role_of
from gdl.instructor.grading.sheet import write_sheet

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "instructor"))
from wrong_answers import wrong_answers  # noqa: E402

FIRST = "Ada Ben Çelik Dora Emil Fatma Grace Hugo Ines Jana Kai Lena Mei Noé Olga".split()
LAST = "Lovelace Ito Yılmaz Öztürk Müller Okafor Hopper Silva Nguyen Kowalska".split()


def make_class(exercise: str, out: Path, n: int = 30, seed: int = 0) -> int:
    """Writes the submissions and the list of the class. Returns the number of notebooks."""
    random_ = random.Random(seed)
    notebook = nbformat.read(ROOT / "solutions" / f"{exercise}.ipynb", as_version=4)
    wrong = wrong_answers(exercise)
    rows = [["student", "identifier", "pair", f"late {exercise}"]]
    count = 0
    for number in range(n):
        name = f"{FIRST[number % len(FIRST)]} {LAST[(number * 7 + number // len(FIRST)) % len(LAST)]}"
        identifier = 1_234_500 + number
        rows.append([name, identifier, "A" if number < 2 else "", 2 if number == 2 else ""])
        if number == 1 or number % 15 == 14:
            continue
        folder = out / "submissions" / f"{name}_{identifier}_assignsubmission_file_"
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(_varied(notebook, wrong, random_), folder / f"{exercise}.ipynb")
        count += 1
    write_sheet(out / "students.csv", rows)
    return count


def _varied(notebook, wrong, random_):
    """A copy of the notebook with other answers, and without hidden tests, which students do not have."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        role, name = role_of(cell)
        if role == "check":
            cell.source = cell.source.split("### BEGIN HIDDEN TESTS")[0].rstrip()
        elif role == "answer" and random_.random() < 0.4:
            choices = [source for question, _, _, source in wrong if question == name]
            cell.source = random_.choice(choices).strip() if choices else cell.source
        elif role == "open":
            paragraphs = cell.source.split("\n\n")
            chosen = [paragraph for paragraph in paragraphs if "Marking" not in paragraph and random_.random() < 0.6]
            cell.source = "\n\n".join(chosen).replace("**Model answer.** ", "") or NOT_ANSWERED
    return copy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes the notebooks of a class, to rehearse a term with the grader.")
    parser.add_argument("exercise", help="name of the exercise, such as 02_vae")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--n", type=int, default=30, help="number of students")
    options = parser.parse_args()
    print(f"{make_class(options.exercise, options.out, options.n)} notebooks of {options.n} students are in {options.out / 'submissions'}.")
