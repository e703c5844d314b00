-- Lanes that were restored from a backup deliver nothing until somebody has looked at what was revoked and delivered since.
CREATE TABLE lane_hold (
    jurisdiction TEXT   NOT NULL,
    lane         TEXT   NOT NULL,
    restored_at  BIGINT NOT NULL,
    taken_at     BIGINT NOT NULL, -- when the backup was taken
    released_at  BIGINT,
    released_by  TEXT,
    PRIMARY KEY (jurisdiction, lane, restored_at)
);
