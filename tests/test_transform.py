import numpy as np

from imaging.interop import rigid_to_sitk
from imaging.transform import RigidTransform, identity


def shift(x, y, z):
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return RigidTransform(matrix)


def quarter_turn_about_z():
    matrix = np.eye(4)
    matrix[:2, :2] = [[0, -1], [1, 0]]
    return RigidTransform(matrix)


def test_the_identity_moves_nothing():
    np.testing.assert_array_equal(identity() @ [1, 2, 3], [1, 2, 3])


def test_after_applies_the_other_transform_first():
    turn_then_shift = shift(10, 0, 0).after(quarter_turn_about_z())
    np.testing.assert_allclose(turn_then_shift @ [1, 0, 0], [10, 1, 0])


def test_the_inverse_brings_every_point_back():
    motion = shift(1, 2, 3).after(quarter_turn_about_z())
    points = np.array([[0.0, 0, 0], [5, -7, 2]])
    np.testing.assert_allclose(motion.inverse @ (motion @ points), points, atol=1e-12)


def test_simpleitk_moves_a_point_as_we_do():
    motion = shift(1, 2, 3).after(quarter_turn_about_z())
    there = rigid_to_sitk(motion)
    np.testing.assert_allclose(there.TransformPoint((4.0, 5.0, 6.0)), motion @ [4, 5, 6])
