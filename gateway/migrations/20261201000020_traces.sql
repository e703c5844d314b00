-- The place in a trace (W3C `traceparent`) at which something was written, so that what is done with it hours later belongs to the
-- same trace. It names nobody. Empty where nothing is traced.
ALTER TABLE input ADD COLUMN trace TEXT;
ALTER TABLE event ADD COLUMN trace TEXT;
ALTER TABLE outbox ADD COLUMN trace TEXT;
