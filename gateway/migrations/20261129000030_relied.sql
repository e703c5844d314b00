-- The message of a decision: who relies on a consent is told before it ends.
CREATE INDEX outbox_of_decision ON outbox (jurisdiction, decision);
