-- What decisions rest on, by content: rules, facts about organisations, directives. Kept as long as a decision names it,
-- so that any decision can be made again as it was.
CREATE TABLE evidence (
    jurisdiction TEXT NOT NULL,
    hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    kept_at BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (jurisdiction, hash)
);
