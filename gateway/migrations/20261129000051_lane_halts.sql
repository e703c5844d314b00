-- Why a lane does not run, since when and by whose word; and a lane that is drained: what was written up to a position
-- is delivered, what comes after it waits.
ALTER TABLE lane ADD COLUMN drain_to BIGINT;
ALTER TABLE lane ADD COLUMN reason TEXT;
ALTER TABLE lane ADD COLUMN halted_by TEXT;
ALTER TABLE lane ADD COLUMN halted_at BIGINT;
