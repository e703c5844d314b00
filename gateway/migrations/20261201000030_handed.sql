-- Whether an attempt hands the message over and nobody has noted how that ended: after a crash its recipient may have it.
ALTER TABLE outbox ADD COLUMN handed INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET handed = 1 WHERE state = 'failed' AND attempts > 0;
CREATE INDEX outbox_handed ON outbox (jurisdiction, lane) WHERE handed = 1;
