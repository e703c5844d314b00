-- The root keys by which the store is or was sealed, by number: the highest that is not retired seals. Their secrets stand
-- in key files alone.
CREATE TABLE root_key (
    jurisdiction TEXT   NOT NULL,
    number       BIGINT NOT NULL,
    made_at      BIGINT,          -- absent of a key from before that was kept
    seals_since  BIGINT,          -- absent of the first
    retired_at   BIGINT,
    rows_left    BIGINT,          -- values that it still seals, as far as they were counted; absent before
    sign         BLOB   NOT NULL, -- sealed by it: who opens the store must hold the same key
    PRIMARY KEY (jurisdiction, number)
);

-- How far each table is sealed anew.
CREATE TABLE resealing (
    jurisdiction TEXT   NOT NULL,
    name         TEXT   NOT NULL, -- of the table
    number       BIGINT NOT NULL, -- of the key that seals anew
    reached      TEXT   NOT NULL, -- primary key of the last row that was looked at, as JSON; empty at the beginning
    resealed     BIGINT NOT NULL, -- values that were sealed anew
    is_done      BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction, name)
);

-- Up to which number a gateway that serves holds the keys, and by which it seals.
ALTER TABLE lease ADD COLUMN holds BIGINT;
ALTER TABLE lease ADD COLUMN seals BIGINT;
