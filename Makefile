# make demo: install, train LeNet-5 on the bundled digits, deploy it, check the figures
# make test: install, lint, check types, run the fast tests

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install demo test lint slow signatures clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --config-settings editable_mode=compat --editable '.[dev]'
	touch $@

demo: $(INSTALLED)
	$(BIN)/trainkit fit configs/sample_lenet5.yaml
	$(BIN)/trainkit deploy runs/sample_lenet5
	$(BIN)/python tools/check_demo.py runs/sample_lenet5

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# the configs at full length, on the full data sets in TRAINKIT_DATA
slow: $(INSTALLED)
	$(BIN)/pytest -m slow

signatures: $(INSTALLED)
	$(BIN)/python tools/make_signatures.py

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
