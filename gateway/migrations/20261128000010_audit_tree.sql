-- The audit log as a tree: one leaf for each audit row, decision and checkpoint, in one order. Here, with one writer, a
-- leaf gets its position in the transaction that writes its record. Where several processes write, the record waits
-- without a leaf until the one leased sequencer gives it the next position: nothing else of these tables changes.

CREATE TABLE audit_leaf (
    jurisdiction TEXT   NOT NULL,
    position     BIGINT NOT NULL, -- index in the tree, from 0
    kind         TEXT   NOT NULL, -- audit, decision or checkpoint
    number       BIGINT,          -- the audit row's position, or the checkpoint's size
    id           BLOB,            -- the decision
    blind        BLOB,            -- key of the commitments; absent once the record is erased
    leaf         TEXT   NOT NULL, -- the line that is hashed
    hash         BLOB   NOT NULL, -- its hash, so that the tree is built without the lines
    PRIMARY KEY (jurisdiction, position)
);
CREATE UNIQUE INDEX audit_leaf_by_number ON audit_leaf (jurisdiction, kind, number) WHERE number IS NOT NULL;
CREATE UNIQUE INDEX audit_leaf_by_id ON audit_leaf (jurisdiction, kind, id) WHERE id IS NOT NULL;

CREATE TABLE audit_checkpoint (
    jurisdiction TEXT   NOT NULL,
    size         BIGINT NOT NULL, -- leaves under it
    at           BIGINT NOT NULL,
    note         TEXT   NOT NULL, -- the signed note
    PRIMARY KEY (jurisdiction, size)
);

CREATE TABLE audit_cosignature (
    jurisdiction TEXT   NOT NULL,
    size         BIGINT NOT NULL,
    witness_key  TEXT   NOT NULL,
    line         TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction, size, witness_key)
);
