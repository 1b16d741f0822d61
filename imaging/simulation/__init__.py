"""Simulated subjects: known anatomy, known graft, the physics of the sequences on top.

Used to make `sample_dicom/` and to validate an installation; the assessment never reads it.
"""

from imaging.simulation.courses import Sample, committed_set, full_set
from imaging.simulation.dialect import Dialect
from imaging.simulation.dicom import write_dicom
from imaging.simulation.scenario import (
    Coil,
    GraftState,
    Nodule,
    Scanner,
    Scenario,
    VisitPlan,
)
from imaging.simulation.subject import SimulatedSubject, SimulatedVisit, simulate, truth_as_json
from imaging.simulation.truth import VisitTruth

__all__ = [
    "Coil",
    "Dialect",
    "GraftState",
    "Nodule",
    "Sample",
    "Scanner",
    "Scenario",
    "SimulatedSubject",
    "SimulatedVisit",
    "VisitPlan",
    "VisitTruth",
    "committed_set",
    "full_set",
    "simulate",
    "truth_as_json",
    "write_dicom",
]
