"""The share of links that are false, against the share that was asked for."""

import json

import data
from engines import link_command, outputs
from measured import run
from truth import harmonic

RATES = (0.01, 0.001)
DIFFICULTIES = (0.7, 1.0, 1.7)
HEADER = ["difficulty", "seed", "records", "wanted", "expected", "found", "found/wanted", "recall", "F1"]


def measure(asked, folder):
    """Links populations of several seeds and difficulties at both rates."""
    figures = []
    for difficulty in DIFFICULTIES:
        for seed in range(asked.seed, asked.seed + asked.seeds):
            people = data.four_systems(folder / "calibration", asked.people, seed, difficulty)
            about = {"difficulty": difficulty, "seed": seed, "records": people.records()}
            figures += [about | at_rate(people, rate) for rate in RATES]
    return HEADER, [row(one) for one in figures], figures


def at_rate(people, rate):
    """One run at a wanted share of false links."""
    _, links, clusters = outputs(people.folder, "tandem")
    summary = people.folder / "tandem.json"
    run(link_command(people, links, clusters, ["--false-match-rate", str(rate)]), summary)
    expected = json.loads(summary.read_text())["statistics"]["false_match_rate"]
    precision, recall = people.truth.linked(links)
    return {
        "wanted": rate,
        "expected": expected["expected"] if expected else None,
        "found": 1 - precision,
        "recall": recall,
        "f1": harmonic(precision, recall),
    }


def row(one):
    expected = "" if one["expected"] is None else f"{one['expected']:.4f}"
    about = [str(one[name]) for name in ("difficulty", "seed", "records", "wanted")]
    ratio = f"{one['found'] / one['wanted']:.2f}"
    return about + [expected, f"{one['found']:.4f}", ratio, f"{one['recall']:.3f}", f"{one['f1']:.3f}"]
