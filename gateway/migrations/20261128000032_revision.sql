-- Counts the changes of consent: what was decided in a snapshot is recorded only while nothing was taken back since.
CREATE TABLE consent_revision (
    jurisdiction TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL
);
