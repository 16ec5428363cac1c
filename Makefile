# make chapters   executes the chapters and makes the site with their outputs in build/site/html/
# make lab        opens JupyterLab on the chapters
# make test       runs the quick tests and every chapter, in about a quarter of an hour
# make test-all   runs everything: also trainings, exercises with the grader, the site in a browser
# make quick      runs the tests that take no time: no training, no notebook, no browser
# make lint       checks style, types, and the direction of the imports
# make wheel      packs gdl for Colab into dist/
# make site       the course as pages in build/site/html/, from the outputs that are committed; needs no network and executes nothing
# make serve      the same, then shows it at http://127.0.0.1:8000
# make pdf        the whole course as dist/course.pdf
# make release    wheel, students' bundle and site in dist/, and a check that they are of one version
# make catalogues LANGUAGE=fr PAGES=start    what a translator fills in
# Each makes .venv first where it is missing. `make PYTHON=/path/to/python chapters` chooses the Python.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin

chapters: .venv/ready
	$(BIN)/python chapters/build.py; executed=$$?; $(BIN)/python site/build.py --executed build/chapters && exit $$executed

lab: .venv/ready
	$(BIN)/jupyter lab chapters

# three at a time on two cores, because a test often waits for a process that it has started; file by file, the longest first
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
TESTS = rm -rf build/test-runs && mkdir -p build/test-runs && GDL_PROFILE=smoke GDL_DATA=drawn GDL_CHECKS=raise \
	GDL_RUNS=$(CURDIR)/build/test-runs GDL_CACHE=$(CURDIR)/build/test-runs/cache \
	$(PYTEST) --nbval-lax --nbval-current-env --nbval-kernel-startup-timeout 300
LONGEST := tests/instructor/test_exercises.py tests/instructor/test_grading.py tests/test_cli.py tests/training tests/experiments tests/models

test: .venv/ready
	$(TESTS) -m "not slow" chapters tests

test-all: .venv/ready
	$(TESTS) $(LONGEST) chapters solutions project tests

quick: .venv/ready
	GDL_PROFILE=smoke GDL_DATA=drawn $(PYTEST) -m "not slow" tests

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# refresh the outputs that are committed with the chapters
outputs: .venv/ready
	GDL_PROFILE=quick GDL_DATA=drawn $(BIN)/python chapters/build.py --write

# the package as one file, for Colab
wheel: .venv/ready
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

site: .venv/ready
	$(BIN)/python site/build.py

PORT ?= 8000
serve: site
	@echo "The course is at http://127.0.0.1:$(PORT); Ctrl-C ends this."
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site/html $(PORT)

pdf: .venv/ready
	$(BIN)/python site/pdf.py

release: .venv/ready
	$(BIN)/python tools/make_release.py

catalogues: .venv/ready
	$(BIN)/python site/catalogues.py $(LANGUAGE) $(PAGES)

.venv/ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "The course needs Python 3.11, 3.12 or 3.13 (TensorFlow has no build for others): install one, or use environment.yml."; exit 1; }
	@echo "Installing into .venv (TensorFlow is large: some minutes the first time)"
	$(PYTHON) -m venv .venv || { echo "python -m venv failed: on Debian and Ubuntu, apt install python3-venv."; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[lab,test,instructor,dev,site]'
	@touch $@

clean:
	rm -rf build

.PHONY: chapters lab test test-all quick lint outputs wheel site serve pdf release catalogues clean
