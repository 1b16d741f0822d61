"""Small subjects for batches, and what every test of a store asks of it."""

import csv
from concurrent.futures import ThreadPoolExecutor

import nibabel as nib
import numpy as np
from abdomen import abdomen
from dicom_files import ROOT, series

from imaging.geometry import to_ras
from surveillance.batching.pool import Pool
from surveillance.batching.run import run
from surveillance.results.commit import COMMITS, fetch, holding, read_all
from surveillance.results.place import prepared

STEP = 2
"""Every second pixel, and T2W-FS alone: a subject takes a tenth of a second."""


class Told:
    """Progress that is kept."""

    def __init__(self):
        self.answers, self.absences = [], []

    def begin(self, subjects):
        self.total = subjects

    def finished_one(self, answer):
        self.answers.append(answer)

    def deserted(self, patience_s):
        self.absences.append(patience_s)

    @property
    def became(self):
        return {answer.subject: answer.became.value for answer in self.answers}


def save_visit(folder, visit="BASELINE", seed=1, t1=False):
    """Write one visit of a subject as NIfTI: `<folder>/<visit>/t2w_fs.nii.gz`."""
    volumes = abdomen(graft=True)
    rng = np.random.default_rng(seed)
    for name, volume in (("t2w_fs", volumes[0]), ("t1w_fs", volumes[1]))[: 1 + t1]:
        array = np.asarray(volume.array)[::STEP, ::STEP]
        stored = np.clip(array + rng.normal(0, 2, array.shape), 0, None).astype(np.int16)
        affine = volume.geometry.affine @ np.diag([STEP, STEP, 1, 1])
        path = folder / visit / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(stored, to_ras(affine)), path)


def save_study(folder, subject, number=1, **changes):
    """Write one visit of a subject as DICOM, eight slices; `number` tells its UIDs from others."""
    t2 = abdomen(graft=True)[0]
    array = np.asarray(t2.array)[::STEP, ::STEP].astype(np.uint16)
    affine = t2.geometry.affine @ np.diag([STEP, STEP, 1, 1])
    values = {
        "PatientID": f"MRN-{subject}",
        "ClinicalTrialSubjectID": subject,
        "ClinicalTrialProtocolID": "TRIAL",
        "StudyDate": f"202601{number:02d}",
        "StudyInstanceUID": f"{ROOT}2.{number}",
        "SeriesInstanceUID": f"{ROOT}3.{number}",
        "FrameOfReferenceUID": f"{ROOT}4.{number}",
        "SOPInstanceUID": lambda k: f"{ROOT}1.{number}.{k + 1}",
        "ImagePositionPatient": lambda k: [*affine[:2, 3], affine[2, 3] + affine[2, 2] * k],
        "PixelSpacing": [affine[1, 1], affine[0, 0]],
        "SliceThickness": affine[2, 2],
        "Rows": array.shape[1],
        "Columns": array.shape[0],
        "PixelData": lambda k: np.ascontiguousarray(array[:, :, k].T).tobytes(),
    }
    return series(folder, slices=array.shape[2], **{**values, **changes})


def save_manifest(path, rows, columns=("site", "subject", "path")):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def do_all(units, order, **options):
    """Run a batch in this process, on an executor of the standard library."""
    with ThreadPoolExecutor(2) as threads:
        return do_all_on(Pool(threads, lambda: 2, (ChildProcessError,)), units, order, **options)


def do_all_on(pool, units, order, **options):
    told = Told()
    tally = run(tuple(units), order, prepared(order.store), pool, told, **options)
    return told, tally


def committed(place):
    """Return all commits that hold, by subject, having compared every object with its SHA-256."""
    found = {}
    for commit in read_all(place, holding(place.entries(COMMITS))):
        for name in commit.files:
            fetch(place, commit, name)
        found[commit.subject] = commit
    return found


def records_of(place):
    """Return the bytes of assessment.json of each committed subject."""
    return {
        subject: fetch(place, commit, "assessment.json")
        for subject, commit in committed(place).items()
    }


def objects_of(place):
    """Return the names and SHA-256 of all objects, masks and pictures too, of each subject."""
    return {name: commit.files for name, commit in committed(place).items()}
