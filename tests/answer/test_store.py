"""Saved models: bit for bit the same predictions, and every kind of damage is one clear error."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

import descend
from descend import DataError

X = np.linspace(0.5, 6, 40)
DATA = {"x": X, "Sepal Length (cm)": X**2, "y": np.exp(0.3 * X) + 0.01 * np.sin(50 * X)}
MODELS = {
    "y = b0 + b1*x": {},
    "y = a*exp(b*x) + c": {"start": {"a": 1, "b": 0.3, "c": 0}, "max_looks": 300},
    "log(y) = a + b*`Sepal Length (cm)`": {},
    "y = a*x^2 + where(x < 2, b, c*x)": {},
    "y = a + b*max(x - 3, 0) + 1/3": {},
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.json"
    descend.fit("y = b0 + b1*x", DATA).save(path)
    return path


class TestRoundTrip:
    @pytest.mark.parametrize("text", MODELS)
    def test_predictions_are_the_same_bits(self, text, tmp_path):
        fitted = descend.fit(text, DATA, **MODELS[text])
        fitted.save(tmp_path / "m.json")
        again = descend.load(tmp_path / "m.json")
        new = {"x": np.linspace(-1, 9, 1001), "Sepal Length (cm)": np.linspace(0, 50, 1001)}
        assert again.predict(new).tobytes() == fitted.predict(new).tobytes()
        assert again.parameters == fitted.parameters
        assert again.status is fitted.status
        assert (again.rss, again.rows, again.cost, again.loss.name) == (fitted.rss, fitted.rows, fitted.cost, "rss")
        assert np.array_equal(again.covariance, fitted.covariance, equal_nan=True)
        assert again.intervals() == fitted.intervals()
        assert again.evaluate(DATA) == fitted.evaluate(DATA)
        assert again.residuals(DATA).tobytes() == fitted.residuals(DATA).tobytes()
        again.save(str(tmp_path / "again.json"))
        assert descend.load(str(tmp_path / "again.json")).predict(new).tobytes() == fitted.predict(new).tobytes()

    def test_it_reports_as_the_original_did(self, saved):
        again = descend.load(saved)
        text = str(again)
        assert "y = b0 + b1*x" in text
        assert "EXACT" in text
        assert "standard error" in text

    def test_a_fit_that_failed_says_so_after_loading(self, tmp_path):
        fitted = descend.fit("y = a*exp(b*x)", DATA, start=[5, -3], max_looks=3)
        assert not fitted.success
        fitted.save(tmp_path / "m.json")
        again = descend.load(tmp_path / "m.json")
        assert (again.status, again.success) == (fitted.status, False)

    def test_the_file_is_plain_json(self, saved):
        content = json.loads(saved.read_text(encoding="utf-8"))
        assert (content["format"], content["version"]) == ("descend-model", 1)
        assert content["model"] == "y = b0 + b1*x"

    def test_nothing_else_is_left_in_the_folder(self, saved):
        assert [p.name for p in saved.parent.iterdir()] == ["model.json"]

    def test_saving_over_an_old_file(self, tmp_path):
        path = tmp_path / "m.json"
        path.write_text("old")
        descend.fit("y = b0 + b1*x", DATA).save(path)
        assert descend.load(path).rows == 40


class TestPaths:
    def test_missing(self, tmp_path):
        with pytest.raises(DataError, match=r"nothing\.json cannot be read"):
            descend.load(tmp_path / "nothing.json")

    def test_a_folder(self, tmp_path):
        with pytest.raises(DataError):
            descend.load(tmp_path)

    def test_saving_where_one_cannot(self, tmp_path):
        with pytest.raises(DataError, match="cannot be written"):
            descend.fit("y = b0 + b1*x", DATA).save(tmp_path / "no" / "folder" / "m.json")

    @pytest.mark.parametrize("path", [None, 3, ["a"], {"a": 1}, "", "\0", "a\0b"])
    def test_what_is_no_path(self, path):
        with pytest.raises(DataError):
            descend.load(path)
        with pytest.raises(DataError):
            descend.fit("y = b0 + b1*x", DATA).save(path)


def refused(tmp_path, raw):
    path = tmp_path / "damaged.json"
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))
    with pytest.raises(DataError) as caught:
        descend.load(path)
    assert "damaged.json" in str(caught.value)
    assert len(str(caught.value)) < 600


class TestDamage:
    def test_truncated_anywhere(self, saved, tmp_path):
        raw = saved.read_bytes().rstrip()
        for end in (*range(0, len(raw), 97), len(raw) - 1):
            refused(tmp_path, raw[:end])

    def test_every_part_missing_or_of_another_type(self, saved, tmp_path):
        content = json.loads(saved.read_text())
        harmless = set()
        for key in content:
            for value in (None, True, 7, -1.5, "text", [], {}, [[]], {"a": None}, "DROP"):
                changed = {k: v for k, v in content.items() if k != key} if value == "DROP" else content | {key: value}
                path = tmp_path / "changed.json"
                path.write_text(json.dumps(changed))
                try:
                    again = descend.load(path)
                    again.predict({"x": [1.0]})
                    str(again)
                    again.to_json()
                except DataError:
                    continue
                harmless.add(key)
        # What the model computes with is never harmless.
        assert not harmless & {"format", "model", "loss", "status"}

    @pytest.mark.parametrize(
        "change",
        [
            {"parameters": {"b0": 1.0}},
            {"parameters": {"b0": 1.0, "b1": "2"}},
            {"parameters": {"b0": 1.0, "b1": None}},
            {"parameters": {"b0": 1.0, "b1": True}},
            {"parameters": {"b0": 1.0, "b1": 2.0, "b2": 3.0}},
            {"parameters": {"b0": 1.0, "b1": 10**400}},
            {"columns": ["y"]},
            {"columns": "yx"},
            {"covariance": [[1.0]]},
            {"covariance": [[1.0, 2.0], [3.0]]},
            {"covariance": "1"},
            {"covariance": [[-1.0, 0.0], [0.0, 1.0]]},
            {"model": "y = b0 + b1*"},
            {"model": "y = b0"},
            {"model": "y = b0 + b1*z"},
            {"model": "b0 + b1*x"},
            {"model": "y = " + "(" * 500 + "b0 + b1*x" + ")" * 500},
            {"model": "y = " + "+".join(["b0 + b1*x"] * 5000)},
            {"model": "y = b0 + b1*x + 9^9^9^9^9"},
            {"model": "y = b0 + b1*__import__('os').system('true')"},
            {"model": "y = b0.__class__ + b1*x"},
            {"model": "y = b0 + b1*x + \x00"},
            {"loss": "nonsense"},
            {"loss": "huber(1.35)"},
            {"status": "SPLENDID"},
            {"status": "value"},
            {"version": 2},
            {"version": "1"},
            {"format": "other"},
            {"rows": "many"},
            {"steps": 1e400},
            {"notes": None},
        ],
    )
    def test_edited(self, saved, tmp_path, change):
        refused(tmp_path, json.dumps(json.loads(saved.read_text()) | change))

    def test_random_bytes_changed(self, saved, tmp_path):
        """Whatever comes out is a DataError or a model that works."""
        rng = random.Random(0)
        raw = saved.read_bytes()
        path = tmp_path / "changed.json"
        for _ in range(300):
            changed = bytearray(raw)
            for _ in range(rng.randint(1, 3)):
                changed[rng.randrange(len(changed))] = rng.choice(b'0123456789{}[]",:.-eax \xff\x00')
            path.write_bytes(bytes(changed))
            try:
                again = descend.load(path)
            except DataError:
                continue
            str(again)
            again.to_json()

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"\x00" * 100,
            b"\xff\xfe{\x00}",
            b"null",
            b"3",
            b'"descend-model"',
            b"[]",
            b"{}",
            b"NaN",
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"format": "descend-model", "version": 1, "parameters": ' + b"[" * 50_000,
            b'{"format": "descend-model", "version": 1}',
            b"x,y\n1,2\n",
            b"9" * 10_000,
            b'"\\ud800"',
            b"PK\x03\x04",
        ],
        ids=lambda raw: repr(raw[:24]),
    )
    def test_what_never_was_one(self, tmp_path, raw):
        refused(tmp_path, raw)

    def test_twenty_megabytes(self, tmp_path):
        path = tmp_path / "damaged.json"
        with path.open("wb") as file:
            file.truncate(20_000_000)
        with pytest.raises(DataError, match="larger than any model"):
            descend.load(path)
