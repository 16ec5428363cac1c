"""Folders of submissions as platforms and people make them."""

import os

import pytest
from submissions import EXERCISES, QUESTIONS, A, B, C, bad, notebook, put, rows, zipped

from gdl.errors import CourseError
from gdl.instructor.grading.collect import Submission, collect, safe_name


def test_moodle_with_folders(tmp_path):
    put(tmp_path, {
        "Ada Lovelace_1234567_assignsubmission_file_/02_vae.ipynb": A,  # up to Moodle 4
        "Emmy Noether_1234568_assignsubmission_file/mine/02_vae.ipynb": B,
        "Emmy Noether_1234568_assignsubmission_onlinetext/onlinetext.html": b"<p>Here it is",
        "Jean-Paul O'Brien_77_assignsubmission_file_/02_vae.ipynb": C,
    })  # fmt: skip
    assert rows(tmp_path) == [
        ("Ada Lovelace", "1234567", "02_vae", "Ada Lovelace_1234567_assignsubmission_file_/02_vae.ipynb"),
        ("Emmy Noether", "1234568", "02_vae", "Emmy Noether_1234568_assignsubmission_file/mine/02_vae.ipynb"),
        ("Jean-Paul O'Brien", "77", "02_vae", "Jean-Paul O'Brien_77_assignsubmission_file_/02_vae.ipynb"),
    ]


def test_moodle_without_folders(tmp_path):
    put(tmp_path, {"Ada Lovelace_1234567_assignsubmission_file_02_vae.ipynb": A, "Zoë Ó Sé_9_assignsubmission_file_exercise 5.ipynb": B})
    assert [row[:3] for row in rows(tmp_path)] == [("Ada Lovelace", "1234567", "02_vae"), ("Zoë Ó Sé", "9", "05_wgan")]


def test_canvas(tmp_path):
    put(tmp_path, {
        "lovelaceada_12345_67890_02_vae.ipynb": A, "noetheremmy_LATE_12346_67891_vae-3.ipynb": B, "anon_AbC12_67892_02_vae.ipynb": C,
    })  # fmt: skip
    assert [row[:3] for row in rows(tmp_path)] == [
        ("anon_AbC12", "AbC12", "02_vae"),
        ("lovelaceada", "12345", "02_vae"),
        ("noetheremmy", "12346", "02_vae"),
    ]
    late = next(one for one in collect(tmp_path, EXERCISES)[0] if one.student == "noetheremmy")
    assert late.notes == ("Handed in late, according to Canvas.",)


def test_names_that_people_give(tmp_path):
    put(tmp_path, {
        "ada_123456_02_vae.ipynb": A,  # not Canvas: 02 is no file's number
        "02_vae_emmy_noether.ipynb": A,
        "Grace Hopper/notebook.ipynb": notebook(heading="# Exercise 02 · The variational autoencoder"),
        "Hedy Lamarr_4711/Exercise 2.ipynb": B,
        "Gan Li_02_vae.ipynb": A,  # is not of the exercise on GANs
        "student-1_02_vae.ipynb": A, "student-2_02_vae.ipynb": B,  # two students
        "Sofja Kowalewskaja.zip": zipped({"a/02_vae.ipynb": A}),
    })  # fmt: skip
    assert [row[:3] for row in rows(tmp_path)] == [
        (who, number, "02_vae") for who, number in [
            ("ada", "123456"), ("emmy noether", ""), ("Gan Li", ""), ("Grace Hopper", ""), ("Hedy Lamarr", "4711"), ("Sofja Kowalewskaja", ""),
            ("student-1", ""), ("student-2", ""),
        ]
    ]  # fmt: skip


def test_zips_of_everything_by_exercise(tmp_path):
    tmp_path /= "generative_2026"  # a course and a year, not a student and a number
    put(tmp_path, {
        "CS101-Exercise 2-5521.zip": zipped({
            "Ada Lovelace_1_assignsubmission_file_/solution.ipynb": A,
            "Emmy Noether_2_assignsubmission_file_/mine.zip": zipped({"solution.ipynb": B, "__MACOSX/._solution.ipynb": b"\0", "data.csv": b"1"}),
        }),
        "05_wgan/submissions.zip": zipped({"lovelaceada_12345_67890_solution.ipynb": C}),
        "late.zip": zipped({"Hedy Lamarr_3_assignsubmission_file_/02_vae.ipynb": C}),
        "README.txt": b"from Monday",
    })  # fmt: skip
    assert [row[:3] for row in rows(tmp_path.parent)] == [row[:3] for row in rows(tmp_path)]
    assert rows(tmp_path) == [
        ("Ada Lovelace", "1", "02_vae", "CS101-Exercise 2-5521.zip!Ada Lovelace_1_assignsubmission_file_/solution.ipynb"),
        ("Emmy Noether", "2", "02_vae", "CS101-Exercise 2-5521.zip!Emmy Noether_2_assignsubmission_file_/mine.zip!solution.ipynb"),
        ("Hedy Lamarr", "3", "02_vae", "late.zip!Hedy Lamarr_3_assignsubmission_file_/02_vae.ipynb"),
        ("lovelaceada", "12345", "05_wgan", "05_wgan/submissions.zip!lovelaceada_12345_67890_solution.ipynb"),
    ]


def test_the_folder_may_be_a_zip_and_must_be_there(tmp_path):
    put(tmp_path, {"all.zip": zipped({"ada_123_02_vae.ipynb": A, "grace_124_02_vae.ipynb": B})})
    assert [row[0] for row in rows(tmp_path / "all.zip")] == ["ada", "grace"]
    with pytest.raises(CourseError, match="does not exist"):
        collect(tmp_path / "nowhere", EXERCISES)


def test_hidden_files_and_checkpoints_are_passed_over(tmp_path):
    put(tmp_path, {
        "ada_123/02_vae.ipynb": A, "ada_123/.ipynb_checkpoints/02_vae-checkpoint.ipynb": B, "ada_123/._02_vae.ipynb": C,
        "__MACOSX/grace_124/02_vae.ipynb": B, ".git/x.ipynb": C,
    })  # fmt: skip
    (one,), problems = collect(tmp_path, EXERCISES)
    assert (one.student, one.content, one.notes, problems) == ("ada", A, (), [])


def test_exercise_forced_by_heading_by_questions_and_by_the_others(tmp_path):
    put(tmp_path, {
        "ada_101_x.ipynb": notebook("a", heading="# Exercise 02 · The variational autoencoder"),
        "ben_102_x.ipynb": notebook("b", heading="## Question 1 · The closed form\n## Question 2 · The sampling layer"),
        "cleo_103_x.ipynb": notebook("nothing"),
        "dora_104_x.pdf": b"%PDF",
    })  # fmt: skip
    submissions, problems = collect(tmp_path, EXERCISES, questions=QUESTIONS)
    assert {one.student: one.exercise for one in submissions} == dict.fromkeys(["ada", "ben", "cleo"], "02_vae")
    assert submissions[2].notes == ("Neither its name nor its headings name an exercise: graded as 02_vae.",)
    assert [file for file, _ in problems] == ["dora_104_x.pdf"]  # of no platform, but it is told
    forced, _ = collect(tmp_path, EXERCISES, "05_wgan", QUESTIONS)
    assert {one.exercise for one in forced} == {"05_wgan"}
    assert forced[0].notes == ("The headings are those of 02_vae, but it was graded as 05_wgan.",)
    put(tmp_path, {"emma_105_05_wgan.ipynb": A})  # two exercises: it is not clear which of them cleo's is
    submissions, problems = collect(tmp_path, EXERCISES, questions=QUESTIONS)
    assert [(one.student, one.exercise) for one in submissions] == [("ada", "02_vae"), ("ben", "02_vae"), ("emma", "05_wgan")]
    assert "cleo: It is not clear which exercise this is" in dict(problems)["cleo_103_x.ipynb"]


def test_the_newest_counts(tmp_path):
    put(tmp_path, {
        "ada_123_456_02_vae.ipynb": A, "ada_123_457_02_vae-2.ipynb": (B, 9), "ada_123_458_02_vae-1.ipynb": C,
        "grace_124/02_vae.ipynb": (A, 2), "grace_124/exercise-02.ipynb": (B, 1), "grace_124/old/02_vae.ipynb": (C, 3),
        "hedy_125/02_vae.ipynb": A, "hedy_125/02_vae (1).ipynb": A,
    })  # fmt: skip
    ada, grace, hedy = collect(tmp_path, EXERCISES)[0]
    assert (ada.content, ada.file) == (B, "ada_123_457_02_vae-2.ipynb")  # -2 before the time
    assert [note.split()[3].rstrip(",") for note in ada.notes] == ["ada_123_456_02_vae.ipynb", "ada_123_458_02_vae-1.ipynb"]
    assert grace.content == B
    assert grace.notes == (
        "There is also grace_124/02_vae.ipynb, which was not graded.",
        "There is also grace_124/old/02_vae.ipynb, which was not graded.",
    )
    assert (hedy.content, hedy.notes) == (A, ())  # the same twice


def test_a_broken_resubmission_does_not_hide_what_can_be_graded(tmp_path):
    put(tmp_path, {"ada_123/02_vae.ipynb": A, "ada_123/02_vae-1.ipynb": b"%PDF-1.7", "ada_123/rest.zip": b"no zip"})
    (one,), problems = collect(tmp_path, EXERCISES)
    assert (one.content, one.problem, problems) == (A, None, [])
    assert len(one.notes) == 2
    assert "02_vae-1.ipynb: The file is a PDF" in " ".join(one.notes)
    assert "rest.zip: This zip cannot be opened" in " ".join(one.notes)


def test_a_notebook_of_another_exercise_does_not_stand_in_for_the_one_asked_for(tmp_path):
    put(tmp_path, {"ada_123/02_vae.ipynb": (A, 5), "ada_123/05_wgan.ipynb": B})
    (one,), _ = collect(tmp_path, EXERCISES, "02_vae")
    assert (one.content, one.notes) == (A, ("There is also ada_123/05_wgan.ipynb, which was not graded.",))
    (one,), _ = collect(tmp_path, {"02_vae": EXERCISES["02_vae"]})
    assert one.content == A


def test_same_name_other_number_and_files_without_a_name(tmp_path):
    put(tmp_path, {
        "Ada_1_assignsubmission_file_/02_vae.ipynb": A, "Ada_2_assignsubmission_file_/02_vae.ipynb": B,
    })  # fmt: skip
    submissions, _ = collect(tmp_path, EXERCISES)
    assert [(one.student, one.identifier, one.notes) for one in submissions] == [("Ada", "1", ()), ("Ada", "2", ())]
    assert len({safe_name(one).casefold() for one in submissions}) == 2
    other = put(tmp_path / "other", {"02_vae.ipynb": A, "02_vae (1).ipynb": B, "week 1/02_vae.ipynb": C})
    submissions, _ = collect(other, EXERCISES)  # maybe three students, so nothing is dropped
    assert sorted(one.student for one in submissions) == ["02_vae", "02_vae (1)", "week 1/02_vae"]
    assert all("No student's name" in one.notes[0] for one in submissions)


def test_nobody_is_lost(tmp_path):
    """A student who handed in no notebook has a row and a reason."""
    put(tmp_path, {
        "Ada_1_assignsubmission_file_/02_vae.ipynb": A,
        "Ben_2_assignsubmission_file_/02_vae.pdf": b"%PDF",
        "Cleo_3_assignsubmission_file_/.02_vae.ipynb": A,
        "dora_12345_67890_notebook.pdf": b"%PDF",
        "Emma_5_assignsubmission_file_/mine.zip": zipped({"readme.md": b"nothing here"}),
        "Finn_6_assignsubmission_file_/mine.rar": b"Rar!",
    })  # fmt: skip
    (tmp_path / "Gus_7_assignsubmission_file_").mkdir()
    students, problems = bad(tmp_path)
    assert problems == {}
    assert students == {
        "Ben": "There is no notebook, only Ben_2_assignsubmission_file_/02_vae.pdf: hand in the .ipynb file itself.",
        "Cleo": "There is no notebook, only Cleo_3_assignsubmission_file_/.02_vae.ipynb: hand in the .ipynb file itself.",
        "dora": "There is no notebook, only dora_12345_67890_notebook.pdf: hand in the .ipynb file itself.",
        "Emma": "There is no notebook, only Emma_5_assignsubmission_file_/mine.zip!readme.md: hand in the .ipynb file itself.",
        "Finn": "This is an archive of the kind rar, which is not opened: unpack it, or hand in the .ipynb file itself.",
        "Gus": "There is no notebook, and no other file.",
    }


def test_nobody_is_lost_without_a_platform_either(tmp_path):
    put(tmp_path, {
        "Ada/02_vae.ipynb": A, "Ben/report.pdf": b"%PDF", "Cleo.zip": zipped({}), "dora_104.zip": zipped({".x": b""}), "README.txt": b"from Monday",
        "week 2/Emma/02_vae.ipynb": A, "week 2/notes/x.txt": b"hm",
    })  # fmt: skip
    students, problems = bad(tmp_path)
    assert problems == {}
    assert students == {
        "Ben": "There is no notebook, only Ben/report.pdf: hand in the .ipynb file itself.", "Cleo": "There is no notebook, and no other file.",
        "dora": "There is no notebook, only dora_104.zip!.x: hand in the .ipynb file itself.",
        "notes": "There is no notebook, only week 2/notes/x.txt: hand in the .ipynb file itself.",
    }  # fmt: skip
    (one,), _ = collect(put(tmp_path / "class", {"ada_123_02_vae.ipynb": A, "marks/ben_124/feedback.html": b"<p>"}), EXERCISES)
    assert one.student == "ada"


def test_a_student_cannot_hand_in_for_another(tmp_path):
    """What a student's own folder or zip holds is that student's, whatever its names say."""
    fake = "Grace Hopper_999_assignsubmission_file_/02_vae.ipynb"
    put(tmp_path, {
        "moodle/Ada_1_assignsubmission_file_/mine.zip": zipped({fake: A}),
        "moodle/Grace Hopper_999_assignsubmission_file_/02_vae.ipynb": B,
        "plain/Ada/mine.zip": zipped({fake: A}), "plain/Grace/02_vae.ipynb": B, "plain/Hedy/02_vae.ipynb": C,
    })  # fmt: skip
    assert [(row[0], row[1]) for row in rows(tmp_path / "moodle")] == [("Ada", "1"), ("Grace Hopper", "999")]
    assert [(row[0], row[1]) for row in rows(tmp_path / "plain")] == [("Ada", ""), ("Grace", ""), ("Hedy", "")]


def test_names_that_play_tricks(tmp_path):
    put(tmp_path, {
        "=HYPERLINK(1)_101_02_vae.ipynb": A, "a\u202egnp_102_02_vae.ipynb": A, "new\nline_103_02_vae.ipynb": A, "<img src=x>_104_02_vae.ipynb": A,
        "x" * 150 + "_105_02_vae.ipynb": A, "CON_106_02_vae.ipynb": A,
        "zip_107_02_vae.zip": zipped({"a\x1b[31m\nb.ipynb": A, "n\0ul.ipynb": B}),
    })  # fmt: skip
    os.makedirs(os.fsencode(tmp_path) + b"/\xff\xfe_108")
    (tmp_path / os.fsdecode(b"\xff\xfe_108") / "02_vae.ipynb").write_bytes(A)
    submissions, _ = collect(tmp_path, EXERCISES)
    assert {one.identifier for one in submissions} >= {"101", "102", "103", "104", "105", "106", "107"}
    for one in submissions:
        for text in (one.student, one.file, *one.notes):
            assert not any(ord(c) < 32 or c in "\u202e\u2028" for c in text), ascii(text)
            text.encode()
    safe = {safe_name(one) for one in submissions}
    assert len(safe) == len(submissions)
    for name in safe:
        assert len(name.encode()) < 200
        assert not set(name) & set('/\\:*?"<>|\n=. ')


def test_safe_names():
    submission = Submission("Ada Lovelace", "12", "02_vae", "x")
    assert safe_name(submission).startswith("Ada_Lovelace_12-")
    assert safe_name(submission).endswith("__02_vae")
    texts = ["", "..", "../..", "/etc/passwd", "CON", "nul", "a" * 500, "a" * 501, "Ada", "ada", "阿达", "\ud800", "a\0b", "a b", "a_b"]
    made = [safe_name(text) for text in texts]
    assert len({name.casefold() for name in made}) == len(texts)
    assert all("/" not in name and "." not in name and len(name.encode()) < 120 for name in made)
    assert safe_name("阿达").startswith("阿达-")
