"""The public face: the names of the contract (API.md) that this version has, documented, lazy, and typed."""

from __future__ import annotations

import doctest
import importlib
import importlib.resources
import inspect
import subprocess
import sys

import pytest

import descend
from descend.descent.method.registry import METHODS
from descend.problem.loss.registry import LOSSES

# The contract's names; what comes with later issues is absent, not pretended.
DOORS = {"gradient_descent", "minimize", "maximize", "steps", "derivative", "explain", "compile", "fit", "load"}
TABLES = {"methods", "losses", "functions"}
TYPES = {"Result", "Fit", "Trace", "Status", "Limits"}
SETTINGS = {
    "GradientDescent",
    "BFGS",
    "BarzilaiBorwein",
    "ConjugateGradient",
    "LBFGS",
    "Newton",
    "GaussNewton",
    "LevenbergMarquardt",
    "SLQP",
    "Proximal",
    "FISTA",
    "AdGD",
    "AdaGrad",
    "Adadelta",
    "Adam",
    "AdamW",
    "AMSGrad",
    "DoG",
    "Lion",
    "Momentum",
    "Nadam",
    "Nesterov",
    "RMSProp",
}
ERRORS = {
    "DescendError", "FormulaError", "LimitError", "StartError", "DomainError", "DataError", "MethodError",
    "UnavailableError", "UnsuccessfulError",
}  # fmt: skip
LATER = {"Huber", "sklearn", "CheckpointError", "certify"}

# The contract's signatures, without the arguments of later issues.
SIGNATURES = {
    "gradient_descent": "cost_fn initial_guess learning_rate precision max_iterations variables",
    "minimize": "cost start method learning_rate precision variables bounds fixed tied penalty constants data "
    "max_looks max_seconds target_cost starts seed escape trace limits keep_as_written progress callback",
    "fit": "model data loss start method learning_rate precision parameters columns weights sigma bounds fixed tied "
    "penalty constants missing robust holdout max_looks max_seconds target_cost starts seed escape trace limits "
    "keep_as_written progress callback",
}
DEFAULTS = {
    "gradient_descent": {"precision": None, "max_iterations": 100, "variables": None},
    "minimize": {"start": None, "method": "auto", "learning_rate": None, "precision": None, "max_looks": 100_000,
                 "starts": 1, "seed": 0, "trace": False},
    "fit": {"loss": "rss", "method": "auto", "missing": "error", "robust": False, "max_looks": 100_000},
}  # fmt: skip
FIELDS = """
    status success message advice variables cost gradient slope best last method why_method criteria steps looks
    products seconds trace seed report plot animate to_html to_dict to_json to_scipy raise_if_failed
"""
FIT_FIELDS = """
    parameters standard_errors covariance intervals rss r_squared rows predict residuals evaluate summary save
"""


def test_the_names_are_those_of_the_contract():
    assert set(descend.__all__) == DOORS | TABLES | TYPES | SETTINGS | ERRORS | {"__version__"}
    assert list(descend.__all__) == sorted(descend.__all__)
    assert dir(descend) == sorted(descend.__all__)
    for name in LATER:
        assert not hasattr(descend, name)


def test_every_name_is_what_its_home_defines():
    for name in set(descend.__all__) - {"__version__"}:
        thing = getattr(descend, name)
        assert thing is getattr(importlib.import_module(thing.__module__), name)
        assert thing.__module__.startswith("descend.")


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name):
    parameters = inspect.signature(getattr(descend, name)).parameters
    assert list(parameters) == SIGNATURES[name].split()
    for argument, default in DEFAULTS[name].items():
        assert parameters[argument].default == default
    positional = {"gradient_descent": 3, "minimize": 2, "fit": 2}[name]
    kinds = [p.kind for p in parameters.values()]
    assert all(kind is inspect.Parameter.KEYWORD_ONLY for kind in kinds[positional:])


def test_maximize_is_called_as_minimize():
    assert inspect.signature(descend.maximize) == inspect.signature(descend.minimize)


@pytest.mark.parametrize("name", sorted(DOORS - {"load"}))
def test_every_door_has_a_docstring_with_a_doctest_and_says_what_it_raises(name):
    function = getattr(descend, name)
    assert doctest.DocTestFinder(recurse=False).find(function, name)[0].examples
    first = function.__doc__.splitlines()[0]
    assert first.endswith((".", ":")) or first.count(" ") > 3
    if name != "maximize":  # which is minimize uphill
        assert "Raises" in function.__doc__


@pytest.mark.parametrize("name", sorted(set(descend.__all__) - {"__version__"}))
def test_everything_public_is_documented_and_typed(name):
    thing = getattr(descend, name)
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing):
        for parameter in inspect.signature(thing).parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty
        assert inspect.signature(thing).return_annotation is not inspect.Signature.empty
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                assert inspect.getdoc(value), f"{name}.{member}"


def test_the_fields_of_results():
    result = descend.minimize("(x-1)^4", 3)
    fitted = descend.fit("y = a + b*x", {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 4.0]})
    for field in FIELDS.split():
        assert hasattr(result, field)
        assert field == "slope" or hasattr(fitted, field)
    for field in FIT_FIELDS.split():
        assert hasattr(fitted, field)
    assert isinstance(fitted, descend.Result)
    for later in ("certificate", "certify"):
        assert not hasattr(result, later)


class TestRegistries:
    @pytest.mark.parametrize("name", sorted(TABLES))
    def test_tables_read_as_text_and_as_rows(self, name):
        table = getattr(descend, name)()
        rows = list(table)
        assert len(rows) == len(table) > 0
        assert all(set(row) == set(table.columns) for row in rows)
        lines = str(table).splitlines()
        assert len(lines) == len(rows) + 1
        assert repr(table) == str(table)
        for row, line in zip(rows, lines[1:], strict=True):
            assert line.startswith(row[table.columns[0]])
            assert row[table.columns[1]] or name == "functions"

    def test_every_method_is_documented_with_its_source(self):
        listed = {row["method"]: row for row in descend.methods()}
        assert set(listed) == {"auto", *METHODS}
        for name, method in METHODS.items():
            assert method.name == name
            assert inspect.getdoc(method)
            assert any(c.isdigit() for c in method.source)  # a year
            assert listed[name]["what it does"]
            assert getattr(descend, method.__name__) is method

    def test_every_loss_is_documented_with_its_source(self):
        listed = {row["loss"]: row for row in descend.losses()}
        assert set(listed) == set(LOSSES) == {"rss", "mse"}
        for name, loss in LOSSES.items():
            assert loss.name == name
            assert loss.meaning
            assert loss.formula
            assert any(c.isdigit() for c in loss.source)

    def test_every_function_that_is_listed_can_be_typed(self):
        arguments = {"where": "x > 1, x, 2", "atan2": "x, 2", "min": "x, 2", "max": "x, 2", "polygamma": "1, x"}
        for row in descend.functions():
            name = row["function"]
            for inside in (arguments.get(name, "x"), "x, 2", "1, x", "1, 2, x"):
                try:
                    descend.derivative(f"{name}({inside})")
                    break
                except descend.FormulaError:
                    continue
            else:
                pytest.fail(f"{name} is listed but cannot be typed")


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class TestLazy:
    HEAVY = "('numpy', 'sympy', 'llvmlite', 'pyarrow', 'narwhals', 'scipy', 'flint', 'click', 'rich')"

    def loaded(self, code):
        return run(f"import sys; import descend; {code}; print(sorted(m for m in {self.HEAVY} if m in sys.modules))")

    def test_importing_loads_nothing(self):
        assert self.loaded("descend.__version__; dir(descend)") == "[]"

    def test_a_small_cost_loads_nothing(self):
        assert self.loaded("descend.gradient_descent('x^2', 3, 0.1); descend.minimize('x^2 - 4x + 1')") == "[]"

    def test_an_unknown_name_is_an_attribute_error(self):
        with pytest.raises(AttributeError, match="has no attribute 'minimise'"):
            _ = descend.minimise

    def test_star_import(self):
        assert run("from descend import *; print(minimize('x^2 - 2x')['x'])") == "1.0"


def test_the_package_says_its_types():
    assert (importlib.resources.files("descend") / "py.typed").is_file()
