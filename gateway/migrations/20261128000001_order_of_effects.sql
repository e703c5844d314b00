-- The order in which events took effect: what follows from an event is recorded later than events that were accepted
-- meanwhile, so the order of acceptance alone does not rebuild the state.
ALTER TABLE event ADD COLUMN applied BIGINT;
UPDATE event SET applied = position WHERE state = 'applied';
CREATE INDEX event_applied ON event (jurisdiction, applied);
