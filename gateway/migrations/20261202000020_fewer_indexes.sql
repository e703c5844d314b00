-- No statement goes by these.
DROP INDEX event_by_type;
DROP INDEX outbox_counts;

-- Most rows are never looked up by these.
CREATE INDEX event_of_input ON event (jurisdiction, input, position) WHERE input IS NOT NULL;
DROP INDEX event_by_input;
CREATE INDEX outbox_in_file ON outbox (jurisdiction, lane, file, position) WHERE file IS NOT NULL;
DROP INDEX outbox_of_file;
CREATE INDEX decision_waiting ON decision (jurisdiction, outcome, decided_at, id) WHERE outcome = 'needs_human';
DROP INDEX decision_of_outcome;

-- Only what came to an end is disposed of.
CREATE INDEX outbox_ended ON outbox (jurisdiction, changed_at, id)
    WHERE disposed_at IS NULL AND state IN ('delivered', 'acknowledged', 'withdrawn', 'skipped');
DROP INDEX outbox_kept;
