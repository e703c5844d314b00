"""Compares the engine with its peer, and measures how well the engine keeps its own promises."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import calibration
import data
import engines
import families
from tables import aligned

HEADER = [
    "data",
    "engine",
    "records",
    "pairs",
    "wall s",
    "CPU s",
    "peak MiB",
    "F1 best",
    "F1 default",
    "recall at P .99",
    "cluster F1",
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, prog="tests/peers/run")
    add = parser.add_argument
    add("--people", type=int, default=70_000, help="people in the four systems; about 1.4 records each")
    add("--seed", type=int, default=201, help="another seed, other people")
    add("--difficulty", type=float, default=1.0, help="1 is the ordinary one, 0 a world without errors")
    add("--only", choices=("four", "febrl"), help="leave the other records out")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--calibration", action="store_true", help="false links against the wanted share instead")
    kind.add_argument("--families", action="store_true", help="wrong links in look-alike families instead")
    add("--seeds", type=int, default=3, help="how many seeds --calibration and --families try")
    add("--folder", type=Path, help="keep tables and answers here")
    add("--json", type=Path, help="write the figures here, too")
    return parser.parse_args()


def compare(asked, folder):
    """Runs every engine on every set of records, one after another."""
    outcomes = []
    if asked.only != "febrl":
        people = data.four_systems(folder / "four", asked.people, asked.seed, asked.difficulty)
        outcomes += [engines.tandem(people), engines.splink(people, "tight"), engines.splink(people, "wide")]
    if asked.only != "four":
        for load, name in ((data.febrl3, "febrl3"), (data.febrl4, "febrl4")):
            records = load(folder / name)
            outcomes += [engines.tandem(records), engines.splink(records, "tutorial")]
    return outcomes


def row(outcome):
    cost, quality = outcome.cost, outcome.quality
    shares = [quality.best_f1, quality.default_f1, quality.recall_at_99, quality.cluster_f1]
    costs = [f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.memory:.0f}"]
    names = [outcome.data, outcome.engine, str(outcome.records), str(outcome.pairs)]
    return names + costs + [f"{share:.4f}" for share in shares]


def load_of_machine():
    one, five, _ = os.getloadavg()
    return f"{len(os.sched_getaffinity(0))} processors, load before the run {one:.1f} (1 min), {five:.1f} (5 min)"


def main():
    asked = arguments()
    print(load_of_machine(), file=sys.stderr)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if asked.calibration:
            header, rows, figures = calibration.measure(asked, folder)
        elif asked.families:
            header, rows, figures = families.measure(asked, folder)
        else:
            outcomes = compare(asked, folder)
            header, rows, figures = HEADER, [row(one) for one in outcomes], [asdict(one) for one in outcomes]
    print(aligned(header, rows))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2, default=float) + "\n")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError:
        sys.exit("tests/peers/run: a program failed, nothing was compared")
