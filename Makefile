# One command each: `make` lists them. PYTHON=python3.12 picks the interpreter, VENV=folder where it is set up.
PYTHON ?= python3
VENV ?= .venv
CUDA ?= cuda12
ARGS ?=
# Networks of this size train faster with one thread: several wait for each other at every layer.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS

python = $(VENV)/bin/python
# pip from 25 on prints a warning of setuptools' at every editable installation.
pip = PYTHONWARNINGS='ignore:Editable installation' $(python) -m pip --quiet --disable-pip-version-check install
# On libraries that are not used here.
without_cupy_advice = CHAINER_CUDNN=0 PYTHONWARNINGS='ignore::UserWarning:cupy._environment'
packaging = setup.cfg pyproject.toml clr/__init__.py building/backend.py building/startup.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test floor lint format docs gpu clean FORCE
.DELETE_ON_ERROR:

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'PYTHON=python3.12 make ... picks the interpreter; ARGS="..." goes to lrfinder or pytest.'

setup: $(VENV)/.tests-ready  ## set up everything in .venv, for work on the project

demo: $(VENV)/.ready  ## find the range of a ResNet on real images
	$(python) -m lrfinder --model resnet $(ARGS)

test: $(VENV)/.tests-ready  ## run the test suite
	@$(call pytest,$(ARGS))

floor:  ## run the test suite with the oldest supported NumPy, pandas and matplotlib (Python 3.10 or 3.11)
	PIP_CONSTRAINT='$(CURDIR)/floor.txt' $(MAKE) test VENV=.venv-floor packaging='$(packaging) floor.txt'

lint: $(VENV)/.tests-ready  ## check style and types
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy

format: $(VENV)/.tests-ready  ## put the code in the project's style
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

docs: $(VENV)/.docs-ready  ## build the documentation as a site in docs/_build/html
	$(python) -m sphinx -W --keep-going -q -E -b html docs docs/_build/html
	@echo 'Open docs/_build/html/index.html in a browser.'

gpu:  ## run the tests that need a GPU, and print what holds on it as a table (CUDA=cuda12 or cuda13)
	@$(PYTHON) -c "$$FIND_DRIVER"
	@$(MAKE) --no-print-directory $(VENV)/.$(CUDA)-ready
	@$(without_cupy_advice) $(python) -m benchmarks.gpu $(ARGS)

clean:  ## remove what set-up, tests and builds left; results stay
	rm -rf .venv .venv-* '$(VENV)' build dist docs/_build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pytest leaves with 5 when it ran no test, which is no success.
define pytest
$(python) -m pytest $(1) || { status=$$?; \
    [ $$status -ne 5 ] || echo 'No test ran: that is a failure, not a success.' >&2; exit $$status; }
endef

# ---- set-up: one file in $(VENV) for each part that is finished

# What was begun and not finished is begun again from an empty folder.
define install
@echo 'Setting up $(VENV) with $(PYTHON): $(1) ...'
@touch $(VENV)/.unfinished
@$(pip) $(2)
@rm $(VENV)/.unfinished
@touch $@
endef

$(VENV)/.chainer-ready: $(VENV)/.made building/chainer/backend.py building/chainer/pyproject.toml
	$(call install,Chainer (about a minute the first time with what comes next),./building/chainer)

$(VENV)/.ready: $(VENV)/.chainer-ready $(packaging)
	$(call install,what the project needs to run,--editable '.[chainer]')

$(VENV)/.tests-ready: $(VENV)/.ready
	$(call install,what its tests need,--editable '.[test]')

$(VENV)/.docs-ready: $(VENV)/.ready
	$(call install,what the documentation needs,--editable '.[docs]')

$(VENV)/.$(CUDA)-ready: $(VENV)/.tests-ready
	$(call install,CuPy for $(CUDA),--editable '.[$(CUDA)]')

# Remade only when it is unfinished, was made by another interpreter or in another place, no longer runs, or when uv sync took
# out of it what uv had not put in.
$(VENV)/.made: FORCE
	@wanted=$$($(PYTHON) -c "$$DESCRIBE_PYTHON" '$(CURDIR)/$(VENV)') || exit 1; \
	if [ -e $(VENV)/.unfinished ] || [ "$$wanted" != "$$(cat $@ 2>/dev/null)" ] || ! $(python) -c '' || \
	    { [ -e $(VENV)/.tests-ready ] && [ ! -e $(VENV)/bin/pytest ]; }; then \
	    rm -rf '$(VENV)' && $(PYTHON) -m venv '$(VENV)' && echo "$$wanted" > $@; \
	fi

define DESCRIBE_PYTHON
import sys
version = '.'.join(map(str, sys.version_info[:3]))
if sys.version_info < (3, 10):
    sys.exit('Python %s is not supported. Name one from 3.10 on: PYTHON=python3.12 make ...' % version)
if sys.version_info >= (3, 15):
    sys.stderr.write('Python %s is newer than any that this was tested with; 3.14 was the last.\n' % version)
try:
    import ensurepip, venv
except ImportError:
    sys.exit('Python %s lacks venv. Install it (Debian, Ubuntu: apt install python3-venv), '
             'or name another Python: PYTHON=python3.12 make ...' % version)
print(version, sys.base_prefix, sys.argv[1])
endef
export DESCRIBE_PYTHON

# Before gigabytes are installed for nothing.
define FIND_DRIVER
import ctypes
try:
    ctypes.CDLL('libcuda.so.1')
except OSError:
    raise SystemExit('There is no GPU to measure on: the driver of NVIDIA is missing (libcuda.so.1).')
endef
export FIND_DRIVER
