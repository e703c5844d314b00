"""Splink's model of people in four systems, as its guide recommends for such data.

Levels of similarity and term frequencies on names, exchanged names, parts of double names, turned and mistyped birth
dates, the last four digits of a number; u by sampling, m by expectation and maximisation in blocks of pairs that are
mostly matches. The members of a household share a family name, a telephone and a street: three comparisons that count
each of them make brothers one person (of the false links nineteen in twenty were such), so they are one comparison with
levels for what is shared together, as the guide has it for given name and surname.

Of several sets of comparisons, of blocks to train in and of numbers of sampled pairs this one did best.
"""

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import block_on

# Words that stand where no name is known.
NO_NAMES = ["UNKNOWN", "UNK", "NONE", "NA", "N/A", "BABY", "BABY BOY", "BABY GIRL", "BOY", "GIRL", "INFANT"]

# The columns of `tandem link`, cleaned as a careful user of Splink would.
COLUMNS = f"""
    record_id as unique_id,
    upper(strip_accents(first_name)) as given,
    case when given not in {tuple(NO_NAMES)} and length(given) > 1 then given end as first_name,
    upper(strip_accents(replace(last_name, '-', ' '))) as family,
    nullif(family, '') as last_name, string_split(family, ' ') as last_words,
    try_cast(nullif(dob, '') as date)::varchar as dob,
    case when length(ssn) = 9 and ssn not like 'x%' and ssn <> '999999999' then ssn end as ssn,
    case when length(ssn) = 9 and ssn <> '999999999' then right(ssn, 4) end as ssn4,
    nullif(phone, '') as phone, nullif(upper(street), '') as street, nullif(zip, '') as zip,
    nullif(sex, '') as sex, nullif(id_cin, '') as cin"""

EXCHANGED = "first_name_l = last_name_r and last_name_l = first_name_r"
# How often strangers' names are exchanged. Too seldom for a sample of pairs to tell, and without a value Splink takes one
# by which two strangers of exchanged names are one person; this one is more than names of this frequency give.
EXCHANGED_STRANGERS = {"u_probability": 1e-5, "fix_u_probability": True}
COMMON_WORD = "list_has_any(last_words_l, last_words_r)"
# Either is enough: who moved often keeps the telephone, and the other way about.
ONE_PLACE = "(phone_l = phone_r or street_l = street_r)"
TURNED = """left(dob_l, 4) = left(dob_r, 4)
    and substr(dob_l, 6, 2) = substr(dob_r, 9, 2) and substr(dob_l, 9, 2) = substr(dob_r, 6, 2)"""
YEAR_OR_DAY = "abs(left(dob_l, 4)::int - left(dob_r, 4)::int) <= 1 or right(dob_l, 5) = right(dob_r, 5)"

TIGHT = [
    block_on("ssn"),
    block_on("dob", "first_name"),
    block_on("dob", "last_name"),
    block_on("first_name", "last_name", "zip"),
    block_on("phone", "first_name"),
    block_on("cin"),
]
WIDE = TIGHT + [
    block_on("dob", "substr(first_name, 1, 1)"),
    block_on("dob", "substr(last_name, 1, 3)"),
    block_on("first_name", "last_name"),
    block_on("substr(first_name, 1, 3)", "substr(last_name, 1, 3)", "left(dob, 4)"),
    "l.first_name = r.last_name and l.last_name = r.first_name and l.dob = r.dob",
    block_on("ssn4", "first_name"),
    block_on("ssn4", "dob"),
    block_on("dob", "zip"),
    block_on("street", "zip"),
    block_on("street", "first_name"),
    block_on("phone"),
]
# Rules that hold for about this share of the matches and hardly for others.
SURE = [block_on("ssn"), block_on("first_name", "last_name", "dob")]
RECALL = 0.7
# Matches make up most of each of these blocks, and each comparison is free in two of them.
TRAINING = [
    block_on("ssn4", "dob"),
    block_on("first_name", "ssn4"),
    block_on("first_name", "dob"),
    block_on("first_name", "last_name"),
    block_on("first_name", "last_name", "zip"),
]


def _level(label, condition, frequencies=None):
    level = {"sql_condition": condition, "label_for_charts": label}
    if frequencies:
        level |= {"tf_adjustment_column": frequencies, "tf_adjustment_weight": 1.0}
    return level


def _unknown(column):
    return cll.NullLevel(column)


def _alike(column):
    return [cll.JaroWinklerLevel(column, threshold) for threshold in (0.92, 0.85)]


def _comparison(name, *levels):
    return cl.CustomComparison(output_column_name=name, comparison_levels=[*levels, cll.ElseLevel()])


def comparisons():
    """What is compared; of several levels that hold, the first counts."""
    first_name = _comparison(
        "first_name",
        _unknown("first_name"),
        _level("same", "first_name_l = first_name_r", "first_name"),
        _level("exchanged", EXCHANGED) | EXCHANGED_STRANGERS,
        *_alike("first_name"),
    )
    family = _comparison(
        "family",
        # Exchanged names have counted with the given name.
        _level("unknown", f"last_name_l is null or last_name_r is null or ({EXCHANGED})") | {"is_null_level": True},
        _level("place and a word", f"{COMMON_WORD} and {ONE_PLACE}"),
        _level("same name", "last_name_l = last_name_r", "last_name"),
        _level("place", ONE_PLACE),
        _level("a word", COMMON_WORD),
        *_alike("last_name"),
    )
    birth_date = _comparison(
        "dob",
        _unknown("dob"),
        _level("same", "dob_l = dob_r"),
        _level("day and month turned", TURNED),
        _level("one character", "damerau_levenshtein(dob_l, dob_r) <= 1"),
        _level("nearly the year, or the day", YEAR_OR_DAY),
    )
    number = _comparison(
        "ssn",
        _unknown("ssn4"),
        _level("same", "ssn_l = ssn_r"),
        _level("one digit", "damerau_levenshtein(ssn_l, ssn_r) <= 1"),
        _level("last four", "ssn4_l = ssn4_r"),
    )
    return [first_name, family, birth_date, number, cl.ExactMatch("sex"), cl.ExactMatch("cin")]
