"""Make the sample subjects and the truth about them.

python sample_dicom/make_sample.py                 # rewrites what is committed
python sample_dicom/make_sample.py --set full      # sample_dicom/full, about 1 GB
python sample_dicom/make_sample.py --only S01 --to /tmp/one
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from imaging.simulation import committed_set, full_set, simulate, truth_as_json, write_dicom

HERE = Path(__file__).parent


def main() -> None:
    """Write the chosen subjects as DICOM, and their truth beside, never inside, the images."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--set", choices=("committed", "full"), default="committed")
    options.add_argument("--to", type=Path, help="folder to write to")
    options.add_argument("--only", action="append", help="a subject's name; may be repeated")
    chosen = options.parse_args()
    target = chosen.to or (HERE if chosen.set == "committed" else HERE / "full")
    for sample in committed_set() if chosen.set == "committed" else full_set():
        name = sample.scenario.name
        if chosen.only and name not in chosen.only:
            continue
        subject = simulate(sample.scenario)
        files = write_dicom(subject, target / "subjects" / name, sample.dialect)
        truth = target / "truth" / f"{name}.json"
        truth.parent.mkdir(parents=True, exist_ok=True)
        truth.write_text(json.dumps(truth_as_json(subject), indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {len(subject.visits)} visits, {len(files)} files")


if __name__ == "__main__":
    main()
