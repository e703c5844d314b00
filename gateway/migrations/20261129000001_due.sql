-- When a document must be looked at next: at 0 it was written since the last look, below 0 it was written before there
-- was this table, so that its indexes are written anew as well.
CREATE TABLE document_due (
    jurisdiction TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    key          BLOB   NOT NULL,
    due_at       BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction, kind, key)
);
CREATE INDEX document_due_at ON document_due (jurisdiction, kind, due_at);

INSERT INTO document_due (jurisdiction, kind, key, due_at)
SELECT jurisdiction, kind, key, -1 FROM document WHERE kind = 'directive';
