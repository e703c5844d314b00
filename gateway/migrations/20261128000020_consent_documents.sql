-- Scanned documents of consents, sealed; the key is a keyed hash of the consent's id.
CREATE TABLE consent_document (
    jurisdiction TEXT NOT NULL,
    key BLOB NOT NULL,
    stored_at BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (jurisdiction, key)
);
-- Decisions that wait for a person are looked for by outcome.
CREATE INDEX decision_outcome ON decision (jurisdiction, outcome, decided_at);
