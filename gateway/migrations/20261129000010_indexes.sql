-- Each question goes to its rows by an index, however many others there are.

-- A message's position is the highest so far and one.
CREATE UNIQUE INDEX outbox_position ON outbox (jurisdiction, position);
-- Whether an earlier message of the same case still waits.
CREATE INDEX outbox_case ON outbox (jurisdiction, lane, case_key, position)
    WHERE state IN ('queued', 'failed', 'parked');
-- What of a lane is tried again.
CREATE INDEX outbox_again ON outbox (jurisdiction, lane, due_at) WHERE state = 'failed';
DROP INDEX outbox_due;
CREATE INDEX outbox_in_state ON outbox (jurisdiction, state, lane, position);
DROP INDEX outbox_by_state;
CREATE INDEX outbox_of_file ON outbox (jurisdiction, lane, file, position);
DROP INDEX outbox_by_file;
CREATE INDEX outbox_counts ON outbox (jurisdiction, lane, state, created_at);

CREATE INDEX event_in_state ON event (jurisdiction, state, position);
DROP INDEX event_waiting;
CREATE INDEX event_by_id ON event (jurisdiction, id);

CREATE INDEX input_received ON input (jurisdiction, received_at, id);
CREATE INDEX decision_decided ON decision (jurisdiction, decided_at, id);
CREATE INDEX decision_of_person ON decision (jurisdiction, person, decided_at, id);
DROP INDEX decision_by_person;
CREATE INDEX decision_of_outcome ON decision (jurisdiction, outcome, decided_at, id);
DROP INDEX decision_outcome;
CREATE INDEX audit_by_action ON audit (jurisdiction, action, position);
