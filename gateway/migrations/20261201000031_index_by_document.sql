-- By what a document is found, answered from the index alone: without its columns SQLite's planner prefers the table's own key, and goes
-- through all documents of the kind.
CREATE INDEX document_index_of ON document_index (jurisdiction, kind, key, field, value);
DROP INDEX document_index_by_key;
