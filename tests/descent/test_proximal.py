"""fista and proximal: closed forms, published recursions, coordinate descent, conditions checked in 50 digits."""

from __future__ import annotations

import pickle
from math import sqrt

import numpy as np
import pytest
from mpmath import exp, findroot, matrix, mp, mpf

import descend
from descend import FISTA, MethodError, Proximal, Status, UnavailableError

METHODS = ["fista", "proximal"]
both = pytest.mark.parametrize("method", METHODS)


def soft(value, cut):
    return np.sign(value) * np.maximum(np.abs(value) - cut, 0.0)


# ------------------------------------------------------------------------------------------------------ closed forms


@both
@pytest.mark.parametrize("weight", [0.1, 1.0, 3.0, 100.0])
def test_soft_thresholds(method, weight):
    """Σ (xᵢ - cᵢ)² + λ Σ|xᵢ| has its minimum at cᵢ shortened by λ/2."""
    wanted = np.array([3.0, -0.2, 0.7, -1.6])
    cost = " + ".join(f"(x{k} - ({c}))^2" for k, c in enumerate(wanted))
    result = descend.minimize(cost, [1.0] * 4, penalty=f"l1({weight})", method=method)
    expected = soft(wanted, weight / 2)
    assert list(result.variables.values()) == pytest.approx(expected.tolist(), rel=1e-15)
    assert result.status is (Status.MINIMUM if expected.all() else Status.AT_KINK)
    assert result.penalty == pytest.approx(weight * np.abs(expected).sum(), rel=1e-15)
    assert result.cost == pytest.approx(((expected - wanted) ** 2).sum() + result.penalty, rel=1e-15)
    assert "there is no other" in result.advice


@both
def test_elastic_net(method):
    wanted, weight, share = np.array([3.0, -0.2, 0.7]), 1.0, 0.25
    cost = " + ".join(f"(x{k} - ({c}))^2" for k, c in enumerate(wanted))
    result = descend.minimize(cost, [1.0] * 3, penalty=f"elastic-net({weight}, {share})", method=method)
    expected = soft(wanted, weight * share / 2) / (1 + weight * (1 - share) / 2)
    assert list(result.variables.values()) == pytest.approx(expected.tolist(), rel=1e-15)


@both
def test_group_lasso(method):
    """A group is shortened by λ√p/2, or 0 as a whole."""
    cost = "(a-1)^2 + (b-2)^2 + (c-0.1)^2 + (d+0.1)^2 + (k-5)^2"
    result = descend.minimize(cost, [1.0] * 5, penalty="group(1: a b; c d)", method=method)
    factor = 1 - sqrt(2) / 2 / sqrt(5)
    expected = {"a": factor, "b": 2 * factor, "c": 0.0, "d": 0.0, "k": 5.0}
    assert result.variables == pytest.approx(expected, rel=1e-14)
    assert result.status is Status.AT_KINK
    assert result.criteria[-1].value == pytest.approx(0.2 * sqrt(2) / sqrt(2), rel=1e-14)


def test_the_published_lasso():
    """scikit-learn's documentation: Lasso(alpha=0.1) on its three points has coefficients 0.85, 0 and intercept 0.15.

    The columns are equal, so only the sum of the coefficients is determined, and the result says so.
    """
    data = {"a": [0.0, 1, 2], "b": [0.0, 1, 2], "y": [0.0, 1, 2]}
    fitted = descend.fit("y = c + p*a + q*b", data, loss="mse", penalty="l1(0.2: p q)")
    assert fitted.success
    assert fitted.parameters["p"] + fitted.parameters["q"] == pytest.approx(0.85, rel=1e-12)
    assert fitted.parameters["c"] == pytest.approx(0.15, rel=1e-12)
    assert "not unique" in fitted.advice
    assert fitted.penalty == pytest.approx(0.2 * 0.85, rel=1e-12)


@both
def test_many_variables(method):
    n = 2000
    result = descend.minimize(
        "sum((x[i] - 3*sin(i))^2, i, 0, n-1)", np.ones(n), constants={"n": n}, penalty="l1(2)", method=method
    )
    assert result.status is Status.AT_KINK
    assert result["x"] == pytest.approx(soft(3 * np.sin(np.arange(n)), 1.0), rel=1e-12, abs=1e-12)
    assert (result["x"] == 0).sum() == (np.abs(3 * np.sin(np.arange(n))) <= 1).sum()


# ------------------------------------------------------------------------------------------------ published recursions


def quadratic(x):
    """½ xᵀAx - bᵀx with curvatures far from its diagonal: cost and gradient."""
    full = np.array([[4.0, 3.0, 1.0], [3.0, 5.0, 2.0], [1.0, 2.0, 3.0]])
    return 0.5 * x @ full @ x - x @ np.array([1.0, -3.0, 2.0]), full @ x - np.array([1.0, -3.0, 2.0])


QUADRATIC = "2*x^2 + 2.5*y^2 + 1.5*z^2 + 3*x*y + x*z + 2*y*z - x + 3*y - 2*z"
DIAGONAL = np.array([4.0, 5.0, 3.0])
FIRST = np.array([3.0, 2.0, -1.0])


def looks(result):
    return np.column_stack([result.trace[name] for name in "xyz"])


@pytest.mark.parametrize("restart", [True, False])
def test_fista_is_the_published_recursion(restart):
    """Beck & Teboulle's with backtracking, η = 2, written down again from the paper, in the metric of the diagonal."""
    method = FISTA(newton=False, restart=restart)
    result = descend.minimize(QUADRATIC, FIRST, penalty="l1(0.5)", method=method, trace=True, max_looks=60)
    seen, x, y, t, step = [FIRST], FIRST, FIRST, 1.0, 1.0
    while len(seen) < 60:
        cost, slope = quadratic(y)
        while True:
            new = soft(y - step / DIAGONAL * slope, 0.5 * step / DIAGONAL)
            seen.append(new)
            moved = new - y
            if quadratic(new)[0] <= cost + slope @ moved + moved @ (DIAGONAL * moved) / (2 * step):
                break
            step /= 2
        uphill = restart and (y - new) @ (DIAGONAL * (new - x)) > 0
        following = (1 + sqrt(1 + 4 * t * t)) / 2
        momentum = (t - 1) / following
        x, before = new, x
        if uphill:
            y, t, step = x, 1.0, 2 * step
        else:
            y, t = x + momentum * (x - before), following
            if momentum:
                seen.append(y)
    count = 40  # until then no rounding is in the way: then slopes, not costs, tell whether the step is short enough
    assert looks(result)[:count] == pytest.approx(np.array(seen[:count]), rel=1e-12, abs=1e-12)


def test_proximal_is_the_published_recursion():
    """SpaRSA (Wright, Nowak & Figueiredo 2009) with lengths in turn, written down again in the metric."""
    method = Proximal(newton=False)
    result = descend.minimize(QUADRATIC, FIRST, penalty="l1(0.5)", method=method, trace=True, max_looks=30)

    def whole(x):
        return quadratic(x)[0] + 0.5 * np.abs(x).sum()

    seen, x, step, costs, number = [FIRST], FIRST, 1.0, [whole(FIRST)], 0
    while len(seen) < 30:
        slope = quadratic(x)[1]
        new = soft(x - step / DIAGONAL * slope, 0.5 * step / DIAGONAL)
        seen.append(new)
        moved = new - x
        far = moved @ (DIAGONAL * moved)
        if whole(new) > max(costs[-10:]) - 1e-4 * far / (2 * step):
            step /= 2
            continue
        turned = quadratic(new)[1] - slope
        across = turned @ (turned / DIAGONAL)
        step = far / (moved @ turned) if number % 2 == 0 else (moved @ turned) / across
        x, number = new, number + 1
        costs.append(whole(x))
    count = 20  # until then no rounding is in the way
    assert looks(result)[:count] == pytest.approx(np.array(seen[:count]), rel=1e-9, abs=1e-9)


# -------------------------------------------------------------------------------- other algorithms, and 50 digits


def lasso(seed):
    """A design of random shape, condition and units, some columns more than rows: (X, y, weight)."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(5, 40)), int(rng.integers(2, 9))
    design = rng.normal(size=(rows, columns)) @ (np.eye(columns) + (seed % 2) * 0.9 * rng.normal(size=(columns,) * 2))
    design *= 10.0 ** rng.integers(-4, 5, size=columns) if seed % 3 == 0 else 1.0
    wanted = rng.normal(size=columns) * (rng.random(columns) < 0.5) / np.abs(design).max(axis=0)
    observed = design @ wanted + 0.1 * rng.normal(size=rows) + 1.0
    weight = float(np.abs(2 * design.T @ observed).max() * 10 ** rng.uniform(-3, 0))
    return design, observed, weight


def coordinate_descent(design, observed, weight):
    """Friedman, Hastie & Tibshirani (2010): one coefficient after the other, the first (the constant) unpenalised."""
    whole = np.column_stack([np.ones(len(observed)), design])
    normal, right = 2 * whole.T @ whole, 2 * whole.T @ observed
    found = np.zeros(whole.shape[1])
    for _ in range(200_000):
        before = found.copy()
        for j in range(len(found)):
            rest = right[j] - normal[j] @ found + normal[j, j] * found[j]
            found[j] = (soft(rest, weight) if j else rest) / normal[j, j]
        if np.abs(found - before).max() <= 1e-15 * np.abs(found).max():
            break
    return found


@both
@pytest.mark.parametrize("seed", range(12))
def test_lasso_as_by_coordinate_descent(method, seed):
    design, observed, weight = lasso(seed)
    columns = range(design.shape[1])
    data = {f"x{k}": design[:, k] for k in columns} | {"y": observed}
    names = " ".join(f"b{k}" for k in columns)
    model = "y = c + " + " + ".join(f"b{k}*x{k}" for k in columns)
    fitted = descend.fit(model, data, penalty=f"l1({weight!r}: {names})", method=method)
    assert fitted.success
    found = np.array([fitted.parameters[name] for name in ["c", *names.split()]])
    expected = coordinate_descent(design, observed, weight)
    units = np.array([1.0, *np.abs(design).max(axis=0)])
    assert found * units == pytest.approx(expected * units, abs=1e-8 * np.abs(expected * units).max())
    assert ((found == 0) == (expected == 0)).all()


def logistic(seed=3):
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(30, 6))
    sides = np.where(design[:, 0] - design[:, 1] + 0.5 * rng.normal(size=30) > 0, 1.0, -1.0)
    return design * sides[:, np.newaxis]


@both
@pytest.mark.parametrize("penalty", ["l1(2)", "elastic-net(2, 0.5)", "group(2: b0 b1; b2 b3; b4 b5)"])
def test_logistic_regression_in_50_digits(method, penalty):
    """At the point that is returned 0 is a subgradient, to 1e-13 of the weights."""
    rows = logistic()
    cost = " + ".join(
        "log(1 + exp(-(" + " + ".join(f"({v!r})*b{k}" for k, v in enumerate(row)) + ")))" for row in rows.tolist()
    )
    result = descend.minimize(cost, [0.5] * 6, penalty=penalty, method=method)
    assert result.status is Status.AT_KINK
    with mp.workdps(50):
        at = [mpf(result[f"b{k}"]) for k in range(6)]
        slope = [mpf(0)] * 6
        for row in rows.tolist():
            share = 1 / (1 + exp(sum(mpf(v) * b for v, b in zip(row, at, strict=True))))
            slope = [s - mpf(v) * share for s, v in zip(slope, row, strict=True)]
        groups = [[k] for k in range(6)] if "group" not in penalty else [[0, 1], [2, 3], [4, 5]]
        weight = {"l1": mpf(2), "el": mpf(1), "gr": 2 * mp.sqrt(2)}[penalty[:2]]
        ridge = mpf(1) if penalty.startswith("el") else mpf(0)
        zeros = 0
        for group in groups:
            size = mp.norm(matrix([at[k] for k in group]))
            if size == 0:
                zeros += 1
                assert mp.norm(matrix([slope[k] for k in group])) < weight
            else:
                for k in group:
                    assert abs(slope[k] + weight * at[k] / size + ridge * at[k]) < 1e-13
    assert zeros > 0


@both
def test_a_cost_that_is_not_convex_in_50_digits(method):
    """z is held at 0; in x and y Newton's method in 50 digits, from nearby, ends at the same point."""
    cost = "(x - 1)^4 + (x*y - 2)^2 + (y - 0.3)^2 + z^2 - 0.1*z + x*z/10"
    result = descend.minimize(cost, [1, 1, 1], penalty="l1(0.4)", method=method)
    assert (result.status, result["z"]) == (Status.AT_KINK, 0.0)
    with mp.workdps(50):
        weight = mpf("0.4")
        x, y = findroot(
            lambda x, y: [
                4 * (x - 1) ** 3 + 2 * y * (x * y - 2) + weight,
                2 * x * (x * y - 2) + 2 * (y - mpf("0.3")) + weight,
            ],
            (1.54, 0.94),
        )
        assert abs(x / 10 - mpf("0.1")) < weight
    assert (result["x"], result["y"]) == pytest.approx((float(x), float(y)), rel=1e-14)


# ------------------------------------------------------------------------------------------------------------ statuses


@both
@pytest.mark.parametrize(
    ("cost", "start", "penalty", "bounds", "status", "at"),
    [
        ("(x-1)^2", 5, "l1(2)", None, Status.AT_KINK, 0.0),  # |slope| at 0 is the weight
        ("(x-1)^2", 0, "l1(2)", None, Status.AT_KINK, 0.0),
        ("(x-1)^2", 0, "l1(1.9)", None, Status.MINIMUM, 0.05),
        ("0.5*x", 1, "l1(1)", None, Status.AT_KINK, 0.0),
        ("x*log(x)", 3, "l1(0.5)", None, Status.MINIMUM, 0.22313016014842982),  # exp(-3/2)
        ("x - 3*log(x)", 5, "l1(1)", None, Status.MINIMUM, 1.5),
        ("x^4 - 3x^2", 0, "l1(0.5)", None, Status.AT_KINK, 0.0),
        ("(x-3)^2", 1, "l1(1)", {"x": (0, 2)}, Status.AT_BOUND, 2.0),
        ("(x-3)^2", -1, "l1(1)", {"x": (None, 0)}, Status.AT_BOUND, 0.0),
        ("(x-0.2)^2", 1, "l1(1)", {"x": (0, 2)}, Status.AT_KINK, 0.0),
        ("-x^2", 1, "l1(1)", None, Status.UNBOUNDED, None),
    ],
)
def test_status(method, cost, start, penalty, bounds, status, at):
    result = descend.minimize(cost, start, penalty=penalty, bounds=bounds, method=method)
    assert result.status is status
    if at is not None:
        assert float(result) == pytest.approx(at, rel=1e-12, abs=0.0)


@both
def test_saddles_are_left_unless_told_not_to(method):
    cost, start = "x^2 - y^2 + y^4 + (z-2)^2", [1, 0, 1]
    result = descend.minimize(cost, start, penalty="l1(0.1: x z)", method=method)
    assert result.status is Status.AT_KINK
    assert abs(result["y"]) == pytest.approx(sqrt(0.5), rel=1e-9)
    stays = descend.minimize(cost, start, penalty="l1(0.1: x z)", method=method, escape=False)
    assert stays.status is Status.SADDLE
    assert not stays.success


@both
def test_a_slope_larger_than_the_weight_is_no_minimum(method):
    result = descend.minimize("(x-3)^2", 0, penalty="l1(1)", method=method, max_looks=1)
    assert result.status is Status.LOOKS_SPENT
    assert (result.looks, result.slope) == (1, -5.0)  # the shortest subgradient: -6 + 1
    assert not next(c for c in result.criteria if "weight" in c.what).holds


@both
@pytest.mark.parametrize("unit", [1e-30, 1e-12, 1e12, 1e30])
def test_in_any_units(method, unit):
    cost = "((x-3)^2 + (y-0.1)^2 + x*y/10)"
    of_cost = descend.minimize(f"{unit!r}*{cost}", [1, 1], penalty=f"l1({unit!r})", method=method)
    assert (of_cost.status, of_cost["y"]) == (Status.AT_KINK, 0.0)
    assert of_cost["x"] == pytest.approx(2.5, rel=1e-12)
    scaled = cost.replace("x", f"(x/{unit!r})").replace("y", f"(y/{unit!r})")
    of_variables = descend.minimize(scaled, [unit, unit], penalty=f"l1({1 / unit!r})", method=method)
    assert (of_variables.status, of_variables["y"]) == (Status.AT_KINK, 0.0)
    assert of_variables["x"] == pytest.approx(2.5 * unit, rel=1e-12)


@both
def test_uphill_it_is_subtracted(method):
    result = descend.maximize("-(a-1)^2 - (b-0.1)^2", [1, 1], penalty="l1(1)", method=method)
    assert (result["a"], result["b"], result.status) == (0.5, 0.0, Status.AT_KINK)
    assert (result.cost, result.penalty) == (pytest.approx(-0.76, rel=1e-15), 0.5)


@both
def test_a_singular_hessian_with_more_variables_than_squares(method):
    """The minima of (x + y - 3)² + |x| + |y| are a line: one is found, and it is said."""
    result = descend.minimize("(x+y-3)^2", [1, 2], penalty="l1(1)", method=method)
    assert result.status is Status.MINIMUM
    assert result["x"] + result["y"] == pytest.approx(2.5, rel=1e-14)
    assert "not unique" in result.advice


# --------------------------------------------------------------------------------------------------- through the door


def test_auto_takes_them_and_says_why():
    few = descend.minimize("(x-1)^2", 1, penalty="l1(1)")
    assert (few.method, "kinks" in few.why_method) == (Proximal().describe(), True)
    fitted = descend.fit("y = b*x", {"x": [1.0, 2], "y": [1.0, 3]}, penalty="l1(1)")
    assert fitted.method == few.method


@both
def test_looks_are_counted_and_a_run_repeats(method):
    seen = []
    cost, start = "100*(y - x^2)^2 + (1-x)^2", [-1.2, 1]
    one = descend.minimize(cost, start, penalty="l1(0.1)", method=method, callback=lambda p: seen.append(p.looks))
    other = descend.minimize(cost, start, penalty="l1(0.1)", method=method)
    assert one.looks == other.looks == len(seen)
    assert one.variables == other.variables
    assert one.success
    assert pickle.loads(pickle.dumps(one)).variables == one.variables


def test_a_fit_says_what_is_penalised():
    data = {"x": [0.0, 1, 2, 3], "y": [1.0, 3, 5, 7.5]}
    every = descend.fit("y = a + b*x", data, penalty="l1(0.1)")
    assert any("every parameter, a constant too" in note for note in every.notes)
    some = descend.fit("y = a + b*x", data, penalty="l1(0.1: b)")
    assert not any("every parameter" in note for note in some.notes)
    assert np.isnan(some.covariance).all()
    x, y = np.array(data["x"]) - 1.5, np.array(data["y"])
    slope = soft(2 * x @ y, 0.1) / (2 * x @ x)
    assert some.parameters == pytest.approx({"a": y.mean() - 1.5 * slope, "b": slope}, rel=1e-12)


@pytest.mark.parametrize(
    ("cost", "settings", "error", "words"),
    [
        ("(x-1)^2", {"method": "newton"}, MethodError, "fista and proximal"),
        ("(x-1)^2", {"learning_rate": 0.1}, MethodError, "fista and proximal"),
        ("abs(x-1)", {"method": "fista"}, MethodError, "kinks of its own"),
        ("abs(x-1)", {}, MethodError, "write the penalty into the cost"),
    ],
)
def test_refused(cost, settings, error, words):
    with pytest.raises(error, match=words):
        descend.minimize(cost, 1, penalty="l1(1)", **settings)


def test_bounds_do_not_go_with_groups():
    with pytest.raises(UnavailableError, match="a has bounds and is in a group"):
        descend.minimize("(a-1)^2 + b^2", [1, 1], penalty="group(1: a b)", bounds={"a": (0, 1)})


@pytest.mark.parametrize(
    ("kind", "settings"), [(FISTA, {"restart": 1}), (Proximal, {"memory": 0}), (FISTA, {"newton": 2})]
)
def test_settings_are_checked(kind, settings):
    with pytest.raises(MethodError):
        kind(**settings)
