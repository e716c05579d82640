"""What can be known about a formula from its tape: a file a question, each answer certain or "unknown".

Only what costs nothing is loaded here; `facts` asks all the questions.
"""

from __future__ import annotations

from descend.expression.analyse.polynomial import degree, linear_in, polynomial_value
from descend.expression.analyse.quadratic import EXACT_VARIABLES, LONGEST, Quadratic, quadratic

__all__ = ["EXACT_VARIABLES", "LONGEST", "Quadratic", "degree", "linear_in", "polynomial_value", "quadratic"]
