-- Whose record an event is about, as a keyed hash: what waits about a person is found without going through everything that
-- waits. Empty in events of before: those are looked at one by one while they wait.
ALTER TABLE event ADD COLUMN about BLOB;
CREATE INDEX event_about ON event (jurisdiction, about) WHERE state = 'waiting';
