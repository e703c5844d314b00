-- What an operator reads of a message's way: how the destination answered an attempt, and the event from which the
-- message follows. Neither was kept before.
ALTER TABLE attempt ADD COLUMN response TEXT; -- class: 2xx, 5xx, timeout, refused, tls, stored ...
ALTER TABLE outbox ADD COLUMN cause BIGINT;   -- position of the event
