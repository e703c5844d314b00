-- Counts the changes of what decisions rest on: consent, the rules, who a record is about and its marks. What was decided in a
-- snapshot stands while nothing of that has changed.
ALTER TABLE consent_revision ADD COLUMN basis BIGINT NOT NULL DEFAULT 0;
