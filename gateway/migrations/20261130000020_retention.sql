-- What was disposed of when its term was over. The row stays, so that nothing is taken in twice and positions go on; its
-- sealed content is empty.
ALTER TABLE input ADD COLUMN disposed_at BIGINT;
ALTER TABLE event ADD COLUMN disposed_at BIGINT;
ALTER TABLE outbox ADD COLUMN disposed_at BIGINT;
-- A leaf whose record was disposed of: the position of the audit entry that says so. The leaf itself stays.
ALTER TABLE audit_leaf ADD COLUMN disposed BIGINT;

-- What is past its term is found by age, kind by kind.
CREATE INDEX input_kept ON input (jurisdiction, received_at, id) WHERE disposed_at IS NULL;
CREATE INDEX event_kept ON event (jurisdiction, recorded_at, position) WHERE disposed_at IS NULL;
CREATE INDEX outbox_kept ON outbox (jurisdiction, changed_at, id) WHERE disposed_at IS NULL;
CREATE INDEX document_age ON document (jurisdiction, kind, updated_at, key);
CREATE INDEX replay_begun ON replay (jurisdiction, started_at, id);
-- Which attempt rests on a decision.
CREATE INDEX attempt_of_decision ON attempt (jurisdiction, decision);

-- When a decision last named a directive in one version, to the day: what no decision names any more goes after them.
CREATE TABLE evidence_use (
    jurisdiction TEXT   NOT NULL,
    hash         TEXT   NOT NULL,
    named_at     BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction, hash)
);
CREATE INDEX evidence_named ON evidence_use (jurisdiction, named_at, hash);
-- It was not kept before: the last decision of all is late enough.
INSERT INTO evidence_use (jurisdiction, hash, named_at)
    SELECT evidence.jurisdiction, evidence.hash, COALESCE(
        (SELECT MAX(decided_at) FROM decision WHERE decision.jurisdiction = evidence.jurisdiction), evidence.kept_at)
    FROM evidence WHERE evidence.kind = 'directive';
-- What was disposed of may be kept again, with a leaf of its own.
DROP INDEX audit_leaf_by_name;
CREATE UNIQUE INDEX audit_leaf_by_name ON audit_leaf (jurisdiction, kind, name)
    WHERE name IS NOT NULL AND number IS NULL AND disposed IS NULL;
