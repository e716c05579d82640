"""Saved models read back, through the same safe parser as any formula."""

from __future__ import annotations

import json
from math import isfinite, nan
from pathlib import Path
from typing import Any

from descend.answer.fit import Fit
from descend.answer.result import Point
from descend.answer.saving import FORMAT, LARGEST, VERSION
from descend.descent.status import Status
from descend.errors import DataError, DescendError, printable
from descend.expression.parse import parse_model
from descend.problem.loss.registry import find_loss
from descend.problem.model import make_model


def load(path: str | Path) -> Fit:
    """Read a model that `Fit.save` wrote; it predicts and evaluates new rows as the original did.

    The criteria of the verdict and the rows held back are not saved.

    Raises `DataError` for a file that is not one.
    """
    shown = printable(str(path))
    try:
        raw = Path(path).read_bytes() if Path(path).stat().st_size <= LARGEST else None
    except (OSError, ValueError, TypeError) as error:
        why = getattr(error, "strerror", None) or "this is no path"
        raise DataError(f"the model {shown} cannot be read: {why}") from None
    if raw is None:
        raise DataError(f"{shown} is larger than any model is")
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise DataError(f"{shown} is not a saved model: it is not JSON") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{shown} is not a saved model")
    if content.get("version") != VERSION:
        raise DataError(f"{shown} was saved by another version of descend, in a format that this one does not read")
    try:
        return _fit(content)
    except DescendError as error:
        raise DataError(f"{shown} is damaged: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise DataError(f"{shown} is damaged: a part of it is missing or of the wrong kind") from None


def _number(value: Any) -> float:
    if value is None:
        return nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def _count(value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return printable(value, 10_000)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(item) for item in value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _fit(content: dict[str, Any]) -> Fit:
    parameters = {str(k): _number(v) for k, v in content["parameters"].items()}
    columns = [_name(c) for c in _list(content["columns"])]
    if not all(isfinite(v) for v in parameters.values()):
        raise ValueError
    parsed = parse_model(_name(content["model"]), names=[*columns, *parameters])
    model, _ = make_model(parsed, columns, list(parameters))
    loss = find_loss(_name(content["loss"]))
    gradient = {name: _number(content["gradient"][name]) for name in parameters}
    point = Point(parameters, _number(content["cost"]), gradient)
    covariance = content["covariance"]
    rows = None if covariance is None else tuple(tuple(_number(v) for v in row) for row in covariance)
    if rows is not None and {len(rows), *map(len, rows)} != {len(parameters)}:
        raise ValueError
    if rows is not None and not all(row[k] >= 0 for k, row in enumerate(rows)):
        raise ValueError
    status = Status[content["status"]]
    return Fit(
        status=status,
        success=status.success,
        message=status.value,
        advice=_text(content["advice"]),
        variables=parameters,
        cost=point.cost,
        gradient=gradient,
        best=point,
        last=point,
        method=_text(content["method"]),
        why_method=_text(content["why_method"]),
        criteria=(),
        steps=_count(content["steps"]),
        looks=_count(content["looks"]),
        seconds=_number(content["seconds"]),
        evaluator=_text(content["evaluator"]),
        problem=model.problem(loss),
        notes=_texts(content["notes"]),
        model=model,
        loss=loss,
        rows=_count(content["rows"], 1),
        rss=_number(content["rss"]),
        r_squared=_number(content["r_squared"]),
        source=_text(content["source"]),
        covariances=rows,
    )
