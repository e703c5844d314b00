"""Wrong links among people who are easily taken for each other: a thousand families within a population."""

import pandas as pd

import data
from engines import link_command, outputs
from measured import run
from truth import IDS, Truth

FAMILIES = 1000
# As the generator numbers them; the kinds come in turn.
FIRST_HOUSEHOLD = 2_000_000_000
KINDS = ("twins", "father and son", "sisters", "mother and daughter")
RATES = (0.01, 0.001)
HEADER = ["difficulty", "seed", "wanted", *KINDS, "in families", "with others", "right links", "true pairs"]


def measure(asked, folder):
    """Links populations of several seeds, at no and at the asked-for difficulty, at both rates."""
    figures = []
    for difficulty in sorted({0.0, asked.difficulty}):
        for seed in range(asked.seed, asked.seed + asked.seeds):
            people = population(folder / "families", asked.people, seed, difficulty)
            figures += [{"difficulty": difficulty, "seed": seed} | at_rate(people, rate) for rate in RATES]
    return HEADER, [row(one) for one in figures], figures


def population(folder, people, seed, difficulty):
    options = {"people": people, "seed": seed, "difficulty": difficulty, "lookalikes": FAMILIES}
    data.generate(folder, *[part for name, value in options.items() for part in (f"--{name}", str(value))])
    tables = {name: folder / f"{name}.csv" for name in ("tanf", "cws", "fhir", "hmis")}
    return data.Data("families", "four", folder, tables, Truth.of_table(folder / "truth.csv"))


def at_rate(people, rate):
    """Links of the families' records: wrong within a family by its kind, wrong with anybody else, right."""
    _, links, clusters = outputs(people.folder, "tandem")
    options = ["--false-match-rate", str(rate)]
    run(link_command(people, links, clusters, options), people.folder / "tandem.json")
    truth = pd.read_csv(people.folder / "truth.csv", dtype=str)
    truth.index = truth.system + "|" + truth.record_id
    truth = truth[["person", "household"]].astype("int64")
    truth = truth[truth.household >= FIRST_HOUSEHOLD]
    made = pd.read_csv(links, dtype=dict.fromkeys(IDS, str))
    made = made[made.decision == "link"]
    a = truth.reindex(made.system_a + "|" + made.id_a).reset_index(drop=True)
    b = truth.reindex(made.system_b + "|" + made.id_b).reset_index(drop=True)
    known = a.person.notna() | b.person.notna()
    right = known & (a.person == b.person)
    within = ~right & (a.household == b.household)
    kind = a.household[within] % len(KINDS)
    wrong = {name: int((kind == place).sum()) for place, name in enumerate(KINDS)}
    others = int((known & ~right & ~within).sum())
    sizes = truth.person.value_counts()
    pairs = int((sizes * (sizes - 1) // 2).sum())
    counts = {"with_others": others, "right": int(right.sum()), "true_pairs": pairs}
    return {"wanted": rate, "wrong": wrong} | counts


def row(one):
    wrong = [str(one["wrong"][name]) for name in KINDS]
    about = [str(one[name]) for name in ("difficulty", "seed", "wanted")]
    counts = [sum(one["wrong"].values()), one["with_others"], one["right"], one["true_pairs"]]
    return about + wrong + [str(count) for count in counts]
