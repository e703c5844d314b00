-- Messages that were put back into their lanes, by what they were chosen and what became of each: `skipped` says why
-- one was chosen and yet left as it was.
CREATE TABLE replay (
    jurisdiction TEXT   NOT NULL,
    id           BLOB   NOT NULL,
    started_at   BIGINT NOT NULL,
    started_by   TEXT   NOT NULL,
    conditions   TEXT   NOT NULL, -- JSON, without personal data
    up_to        BIGINT NOT NULL, -- the last position when it began
    at_lane      TEXT   NOT NULL, -- how far it came
    at_position  BIGINT NOT NULL,
    is_done      BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction, id)
);
CREATE TABLE replay_message (
    jurisdiction TEXT NOT NULL,
    replay       BLOB NOT NULL,
    message      BLOB NOT NULL,
    skipped      TEXT,
    PRIMARY KEY (jurisdiction, replay, message)
);
