-- What several gateways on one database tell each other.

-- Which of them does what only one may do, and until when unless it says so again (microseconds since 1970, by the clock of
-- the database).
CREATE TABLE lease (
    jurisdiction TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    holder       BLOB   NOT NULL,
    until        BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction, name)
);

-- Documents that each holds in memory, by the order in which they were written.
CREATE TABLE document_change (
    jurisdiction TEXT   NOT NULL,
    sequence     BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    key          BLOB   NOT NULL,
    PRIMARY KEY (jurisdiction, sequence)
);

-- What every data folder must hold alike: whoever opens the store with another key is told so.
CREATE TABLE key_check (
    jurisdiction TEXT NOT NULL,
    name         TEXT NOT NULL,
    value        BLOB NOT NULL,
    PRIMARY KEY (jurisdiction, name)
);
