"""Simulated subjects: known anatomy, known graft, the physics of the sequences on top.

Used to make `sample_dicom/` and to validate an installation; the assessment never reads it.
"""

from imaging.simulation.scenario import (
    Coil,
    GraftState,
    Nodule,
    Scanner,
    Scenario,
    VisitPlan,
)
from imaging.simulation.subject import SimulatedSubject, SimulatedVisit, simulate
from imaging.simulation.truth import VisitTruth

__all__ = [
    "Coil",
    "GraftState",
    "Nodule",
    "Scanner",
    "Scenario",
    "SimulatedSubject",
    "SimulatedVisit",
    "VisitPlan",
    "VisitTruth",
    "simulate",
]
