-- Of what waits about a person only these two are asked for: whether the record was sealed, and how it is marked. Whoever
-- tells many other things about the same person is not asked to go through them.
CREATE INDEX event_record_about ON event (jurisdiction, about)
    WHERE state = 'waiting' AND type IN ('record.received', 'record.sealed');
DROP INDEX event_about;
