"""Links tables with Splink and writes what `tandem link` writes; a process of its own, so that its cost can be told.

Arguments: the kind of data, the blocking, files for scores, links, clusters and cost, then NAME=FILE for each table.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

BEGAN = time.monotonic()

import duckdb  # noqa: E402 - the imports are a part of the run
from splink import DuckDBAPI, Linker, SettingsCreator  # noqa: E402
from splink.blocking_analysis import count_comparisons_from_blocking_rules  # noqa: E402

import people_model  # noqa: E402
from splink_models import model  # noqa: E402

# The match probability from which on pairs are links, and pairs below which are no candidates of any threshold (bits).
LINK_PROBABILITY = 0.95
LOWEST_WEIGHT = -10
# Pairs from which a probability is estimated: with all of them, a million records train for minutes.
SAMPLED_PAIRS = 5e6

# FEBRL's own columns, which lie beside the tables; an empty cell is already missing.
FEBRL = "* exclude (record_id), record_id as unique_id"


def load(con, kind, tables):
    """One table for each system, or a single one where Splink is to link within and between systems alike."""
    columns = people_model.COLUMNS if kind == "four" else FEBRL
    parts = []
    for system, file in tables:
        file = file if kind == "four" else str(Path(file).with_suffix(".raw.csv"))
        parts.append(
            f"select {columns}, '{system}' as system from read_csv('{file}', all_varchar=true)"
        )
    if kind == "febrl4":
        names = [system for system, _ in tables]
        for name, part in zip(names, parts):
            con.execute(f"create table {name} as {part}")
        return names
    con.execute(f"create table people as {' union all '.join(parts)}")
    return ["people"]


def train(linker, chosen):
    training = linker.training
    training.estimate_probability_two_random_records_match(chosen.sure, recall=chosen.recall)
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
    for rule in chosen.training:
        training.estimate_parameters_using_expectation_maximisation(rule, max_pairs=SAMPLED_PAIRS)


class Writer:
    """Writes Splink's tables in the columns of `tandem link`."""

    def __init__(self, con, names):
        self.con = con
        parts = " union all ".join(f"select unique_id, system from {name}" for name in names)
        con.execute(f"create view systems as {parts}")

    def pairs(self, predicted, columns, where, file):
        self.con.execute(
            f"""copy (select a.system as system_a, unique_id_l as id_a, b.system as system_b, unique_id_r as id_b,
            {columns} from {predicted.physical_name} p
            join systems a on a.unique_id = p.unique_id_l join systems b on b.unique_id = p.unique_id_r
            where {where}) to '{file}' (header)"""
        )

    def clusters(self, clustered, file):
        self.con.execute(
            f"""copy (select system, unique_id as record_id, cluster_id from {clustered.physical_name})
            to '{file}' (header)"""
        )


def main():
    kind, blocking, scores, links, clusters, cost = sys.argv[1:7]
    tables = [argument.split("=", 1) for argument in sys.argv[7:]]
    con = duckdb.connect()
    con.execute(f"set threads = {len(os.sched_getaffinity(0))}")
    names = load(con, kind, tables)
    chosen = model(kind, blocking)
    settings = SettingsCreator(
        link_type=chosen.link_type,
        comparisons=chosen.comparisons,
        blocking_rules_to_generate_predictions=chosen.blocking,
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )
    database = DuckDBAPI(connection=con)
    frames = [database.register(name) for name in names]
    linker = Linker(frames if len(frames) > 1 else frames[0], settings, log_level="WARNING")
    train(linker, chosen)
    predicted = linker.inference.predict(threshold_match_weight=LOWEST_WEIGHT)
    clustered = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_probability=LINK_PROBABILITY
    )
    writer = Writer(con, names)
    is_link = f"match_probability >= {LINK_PROBABILITY}"
    writer.pairs(predicted, "match_weight as score, 'link' as decision", is_link, links)
    writer.clusters(clustered, clusters)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "wall": time.monotonic() - BEGAN,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss / 1024,
    }
    # From here on nothing counts: what follows is for the evaluation.
    writer.pairs(predicted, "match_weight as score", "true", scores)
    counted = count_comparisons_from_blocking_rules(
        frames,
        blocking_rules=chosen.blocking,
        link_type=chosen.link_type,
        record_sample_proportion=1.0,
    )
    told["pairs"] = int(sum(rule["marginal_comparison_count"] for rule in counted))
    Path(cost).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
