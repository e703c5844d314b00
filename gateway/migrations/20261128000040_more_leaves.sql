-- Leaves for what decisions rest on, for the rules in force and for attempts: by number and id together, or by name.

ALTER TABLE audit_leaf ADD COLUMN name TEXT; -- hash of the evidence, or of the activated rules
DROP INDEX audit_leaf_by_number;
DROP INDEX audit_leaf_by_id;
CREATE UNIQUE INDEX audit_leaf_by_number ON audit_leaf (jurisdiction, kind, number)
    WHERE number IS NOT NULL AND id IS NULL AND name IS NULL;
CREATE UNIQUE INDEX audit_leaf_by_id ON audit_leaf (jurisdiction, kind, id)
    WHERE id IS NOT NULL AND number IS NULL;
CREATE UNIQUE INDEX audit_leaf_by_id_and_number ON audit_leaf (jurisdiction, kind, id, number)
    WHERE id IS NOT NULL AND number IS NOT NULL;
CREATE UNIQUE INDEX audit_leaf_by_name ON audit_leaf (jurisdiction, kind, name)
    WHERE name IS NOT NULL AND number IS NULL;
CREATE UNIQUE INDEX audit_leaf_by_name_and_number ON audit_leaf (jurisdiction, kind, name, number)
    WHERE name IS NOT NULL AND number IS NOT NULL;

-- When a gateway put rules in force: a row of its own, so that no row that has a leaf is ever changed. The column
-- started_at of policy_activation is not written any more.
CREATE TABLE policy_start (
    jurisdiction TEXT   NOT NULL,
    effective_at BIGINT NOT NULL,
    bundle       TEXT   NOT NULL,
    started_at   BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction, effective_at, bundle)
);
INSERT INTO policy_start (jurisdiction, effective_at, bundle, started_at)
    SELECT jurisdiction, effective_at, bundle, started_at FROM policy_activation WHERE started_at IS NOT NULL;
