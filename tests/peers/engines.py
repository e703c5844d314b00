"""One run of an engine over tables: what it cost and what its answer is worth."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from measured import Cost, run
from truth import Quality

HERE = Path(__file__).resolve().parent


@dataclass
class Outcome:
    """An engine on data."""

    data: str
    engine: str
    records: int
    pairs: int
    cost: Cost
    quality: Quality


def outputs(folder, engine):
    """Files for scored pairs, links and clusters."""
    return [folder / f"{engine}-{what}.csv" for what in ("scores", "links", "clusters")]


def link_command(data, links, clusters, more=()):
    """A run of `tandem link` over all tables of the data."""
    tables = [part for name, file in data.tables.items() for part in ("--records", f"{name}={file}")]
    answer = ["--links", str(links), "--clusters", str(clusters), "--json", *more]
    return [os.environ["TANDEM"], "link", *tables, *answer]


def tandem(data):
    """`tandem link` without settings. Scores of all pairs are written by a second run that is not timed."""
    scores, links, clusters = outputs(data.folder, "tandem")
    summary = data.folder / "tandem.json"
    cost = run(link_command(data, links, clusters), summary)
    told = json.loads(summary.read_text())
    run(link_command(data, links, clusters, ["--candidates", str(scores)]), summary)
    quality = data.truth.quality(scores, links, clusters)
    pairs = told["statistics"]["pairs_compared"]
    return Outcome(data.name, "Tandem", data.records(), pairs, cost, quality)


def splink(data, blocking):
    """Splink in a process of its own. It tells the cost up to the clusters; scores of all pairs are written after."""
    name = f"splink-{blocking}"
    scores, links, clusters = outputs(data.folder, name)
    log, told = data.folder / f"{name}.log", data.folder / f"{name}.json"
    tables = [f"{system}={file}" for system, file in data.tables.items()]
    program = [sys.executable, str(HERE / "splink_peer.py"), data.kind, blocking]
    run([*program, *map(str, (scores, links, clusters, told)), *tables], log)
    told = json.loads(told.read_text())
    cost = Cost(told["wall"], told["cpu"], told["memory"])
    quality = data.truth.quality(scores, links, clusters)
    label = "Splink" if blocking == "tutorial" else f"Splink {blocking}"
    return Outcome(data.name, label, data.records(), told["pairs"], cost, quality)
