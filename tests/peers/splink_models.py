"""Models for Splink: comparisons, blocking and training.

For the four systems as its guide recommends for people: Jaro-Winkler levels with term frequencies on names, levels of
birth date and number, u by sampling, m by expectation and maximisation. Of several sets of comparisons this one did
best on these records. For FEBRL as in its own tutorials.
"""

from dataclasses import dataclass

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import block_on

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


def place():
    """Telephone and street as one comparison: two would count a household twice, and brothers would be one person."""
    is_unknown = "(phone_l is null or phone_r is null) and (street_l is null or street_r is null)"
    is_one = "phone_l = phone_r or street_l = street_r"
    unknown = {"sql_condition": is_unknown, "label_for_charts": "unknown", "is_null_level": True}
    one = {"sql_condition": is_one, "label_for_charts": "one place"}
    levels = [unknown, one, cll.ElseLevel()]
    return cl.CustomComparison(output_column_name="place", comparison_levels=levels)


def four_systems(blocking):
    """Comparisons over the columns of `tandem link`; tight or wide blocking."""
    # Exact agreement of a NameComparison is adjusted for term frequencies.
    name = {"jaro_winkler_thresholds": [0.92, 0.85]}
    tight = [
        block_on("ssn"),
        block_on("dob", "first_name"),
        block_on("dob", "last_name"),
        block_on("first_name", "last_name", "zip"),
        block_on("phone", "first_name"),
        block_on("cin"),
    ]
    wide = [
        block_on("dob", "substr(first_name, 1, 1)"),
        block_on("first_name", "last_name"),
        block_on("ssn4", "first_name"),
        block_on("dob", "zip"),
        block_on("street", "first_name"),
        block_on("last_name", "phone"),
    ]
    return Model(
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("first_name", **name),
            cl.NameComparison("last_name", **name),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.LevenshteinAtThresholds("ssn", [1, 2]),
            place(),
            cl.ExactMatch("sex"),
            cl.ExactMatch("suffix"),
            cl.ExactMatch("cin"),
        ],
        blocking=tight if blocking == "tight" else tight + wide,
        sure=[block_on("ssn"), block_on("first_name", "last_name", "dob")],
        recall=0.7,
        training=[block_on("dob"), block_on("first_name", "last_name"), block_on("ssn")],
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
