"""B-splines: what a polynomial does, they do."""

import numpy as np
import pytest

from imaging.bspline import VectorField, basis, bending, control_grid, laid_out
from imaging.geometry import Geometry

AFFINE = np.diag([2.0, -1.5, 4.0, 1.0])
AFFINE[:3, 3] = (-20.0, 15.0, 5.0)
BOX = Geometry(AFFINE, (21, 25, 9))
CONTROL = control_grid(BOX, (10.0, 8.0, 12.0))
POINTS = np.random.default_rng(1).uniform((-20, -20, 5), (20, 14, 36), (50, 3))


def straight(matrix: np.ndarray) -> VectorField:
    """Cubic B-splines give a linear field from its values at the control points, exactly."""
    places = CONTROL.to_world(np.moveaxis(np.indices(CONTROL.shape), 0, -1))
    return VectorField(CONTROL, np.moveaxis(places @ matrix.T, -1, 0))


def test_a_linear_field_comes_back_with_its_matrix_as_gradient() -> None:
    matrix = np.array([[0.1, 0.2, 0.0], [-0.3, 0.0, 0.05], [0.0, 0.01, -0.2]])
    field = straight(matrix)
    assert field.at(POINTS) == pytest.approx(POINTS @ matrix.T)
    assert field.gradient(POINTS) == pytest.approx(np.broadcast_to(matrix, (50, 3, 3)))


def test_the_gradient_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(2)
    field = VectorField(CONTROL, rng.normal(size=(3, *CONTROL.shape)))
    step = 1e-4 * np.eye(3)
    slopes = np.stack([(field.at(POINTS + s) - field.at(POINTS - s)) / 2e-4 for s in step], axis=2)
    assert field.gradient(POINTS) == pytest.approx(slopes, abs=1e-6)


def test_beyond_the_control_points_the_field_is_zero() -> None:
    field = VectorField(CONTROL, np.ones((3, *CONTROL.shape)))
    assert field.at(np.array([[500.0, 0.0, 0.0]])) == pytest.approx(np.zeros((1, 3)))


def test_laid_out_on_a_lattice_it_has_the_values_it_has_at_its_points() -> None:
    rng = np.random.default_rng(3)
    field = VectorField(CONTROL, rng.normal(size=(3, *CONTROL.shape)))
    index = np.moveaxis(np.indices(BOX.shape), 0, -1).reshape(-1, 3)
    values = field.at(BOX.to_world(index))
    for part, column in zip(field.coefficients, values.T, strict=True):
        assert laid_out(basis(CONTROL, BOX), part).ravel() == pytest.approx(column)


def test_nothing_affine_bends() -> None:
    flat = straight(np.array([[0.1, 0.2, 0.0], [-0.3, 0.0, 0.05], [0.0, 0.01, -0.2]]))
    for part in flat.coefficients:
        bent = part.ravel() @ (bending(CONTROL) @ part.ravel())
        assert bent == pytest.approx(0.0, abs=1e-9)


def test_a_parabola_pays_the_square_of_its_second_derivative_times_the_volume() -> None:
    """u = x²/2: u'' = 1. Coefficients of x² are those of its values less a constant."""
    places = CONTROL.to_world(np.moveaxis(np.indices(CONTROL.shape), 0, -1))
    half_square = (places[..., 0] ** 2 / 2).ravel()
    lengths = (np.array(CONTROL.shape) - 3) * np.array(CONTROL.spacing_mm)
    assert half_square @ (bending(CONTROL) @ half_square) == pytest.approx(float(lengths.prod()))


def test_coefficients_of_another_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="do not lie on grid"):
        VectorField(CONTROL, np.zeros((3, 4, 4, 4)))
