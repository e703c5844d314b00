"""Models for Splink: comparisons, blocking and training. For FEBRL as in its own tutorials."""

from dataclasses import dataclass

import splink.comparison_library as cl
from splink import block_on

import people_model

SWAPPED = "l.given_name = r.surname and l.surname = r.given_name"
FEBRL_DATE = {"input_is_string": True, "datetime_format": "%Y%m%d"}


@dataclass
class Model:
    """What a linker needs. `sure` are rules that hold for about `recall` of the matches and hardly for others."""

    link_type: str
    comparisons: list
    blocking: list
    sure: list
    recall: float
    training: list


def four_systems(blocking):
    """Tight or wide blocking; the wide one reaches about as many pairs as Splink can score in a minute."""
    return Model(
        link_type="dedupe_only",
        comparisons=people_model.comparisons(),
        blocking=people_model.TIGHT if blocking == "tight" else people_model.WIDE,
        sure=people_model.SURE,
        recall=people_model.RECALL,
        training=people_model.TRAINING,
    )


def febrl3():
    """https://moj-analytical-services.github.io/splink/demos/examples/duckdb/febrl3.html"""
    columns = ["soc_sec_id", "given_name", "surname", "date_of_birth", "postcode"]
    swapped = f"{SWAPPED} and l.date_of_birth = r.date_of_birth"
    return Model(
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", **FEBRL_DATE),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
        blocking=[block_on(column) for column in columns] + [swapped],
        sure=[block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth"), swapped],
        recall=0.9,
        training=[block_on("date_of_birth"), block_on("postcode")],
    )


def febrl4():
    """https://moj-analytical-services.github.io/splink/demos/examples/duckdb/febrl4.html"""
    return Model(
        link_type="link_only",
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", **FEBRL_DATE, invalid_dates_as_null=True),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
        ],
        blocking=[
            block_on("given_name", "surname"),
            SWAPPED,
            block_on("date_of_birth"),
            block_on("soc_sec_id"),
            block_on("state", "address_1"),
            block_on("street_number", "address_1"),
            block_on("postcode"),
        ],
        sure=[block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")],
        recall=0.9,
        training=[block_on("given_name", "surname"), block_on("date_of_birth")],
    )


def model(kind, blocking):
    if kind == "four":
        return four_systems(blocking)
    return {"febrl3": febrl3, "febrl4": febrl4}[kind]()
