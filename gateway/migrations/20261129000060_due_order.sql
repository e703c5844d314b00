-- Documents that are due at one time are taken in the order of their keys: without the key in the index all of them would be
-- sorted for each page.
DROP INDEX document_due_at;
CREATE INDEX document_due_at ON document_due (jurisdiction, kind, due_at, key);
