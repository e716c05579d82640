"""Random formulas with sums and products inside one another, whose values stay of ordinary size."""

from __future__ import annotations

BOUNDS = (
    "0, n-1",
    "0, {i}",
    "{i}, n-1",
    "0, {i}-1",
    "{i}+1, n-1",
    "max(0, {i}-2), min(n-1, {i}+1)",
    "0, n-1-{i}",
    "1, 2",
)
OUTERMOST = ("0, n-1", "1, n-1", "0, n-2", "n, n-1", "0, 0")
WRAPPED = ("sin({})", "exp(-({})**2)", "tanh({})", "1/(2 + cos({}))", "sqrt(1 + ({})**2)", "atan({})", "({})**2/4")


class Maker:
    """Makes formulas of x[0..n-1], y[0..n-1], the scalar a and the constant array c."""

    def __init__(self, rng, depth=3):
        self.rng = rng
        self.depth = depth

    def formula(self):
        parts = [self.expression(self.depth, []) for _ in range(self.rng.randint(1, 2))]
        parts.append("sum(x[i]**2, i, 0, n-1)")  # every entry of an array is touched
        text = " + ".join(parts)
        return text + " + sum(y[i]**2, i, 0, n-1)*c[0]" if "y[" in text or "c[" in text else text

    def expression(self, depth, indices):
        rng = self.rng
        if depth == 0 or rng.random() < 0.15:
            return self.leaf(indices)
        kind = rng.choices(("binder", "wrapped", "sum", "product", "choice"), (5, 3, 3, 3, 1))[0]
        match kind:
            case "binder" if len(indices) < 3:
                return self.binder(depth, indices)
            case "wrapped":
                return rng.choice(WRAPPED).format(self.expression(depth - 1, indices))
            case "sum":
                sign = rng.choice("+-")
                return f"({self.expression(depth - 1, indices)} {sign} {self.expression(depth - 1, indices)})"
            case "choice" if indices:
                condition = f"{rng.choice(indices)} {rng.choice(('<', '>=', '<='))} {rng.randint(0, 3)}"
                branches = [self.expression(depth - 1, indices) for _ in range(2)]
                return f"where({condition}, {branches[0]}, {branches[1]})"
        return f"{self.expression(depth - 1, indices)}*{self.expression(depth - 1, indices)}"

    def binder(self, depth, indices):
        rng = self.rng
        index = "ijkl"[len(indices)]
        bounds = rng.choice(BOUNDS).format(i=rng.choice(indices)) if indices else rng.choice(OUTERMOST)
        body = self.expression(depth - 1, [*indices, index])
        return f"prod(1 + ({body})/8, {index}, {bounds})" if rng.random() < 0.3 else f"sum({body}, {index}, {bounds})"

    def leaf(self, indices):
        rng = self.rng
        array = rng.choice("xxy")
        if not indices:
            return rng.choice((f"{array}[0]", f"{array}[n-1]", "a", "1/3", "n/4"))
        index = rng.choice(indices)
        # Places are kept inside 0..n-1 for every index that the bounds allow: n-1-i and i.
        return rng.choice(
            (
                f"{array}[{index}]",
                f"{array}[{index}]",
                f"{array}[n-1-{index}]",
                f"c[{index}]",
                f"({index}+1)/4",
                "a",
                "2",
            )
        )
