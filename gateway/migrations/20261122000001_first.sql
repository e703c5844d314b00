-- The first schema. Common types only: 16-byte ids, integer microseconds since 1970, text codes.
-- Jurisdiction is in every primary key. Personal data stand only in columns named `sealed`.

CREATE TABLE input (
    jurisdiction TEXT    NOT NULL,
    id           BLOB    NOT NULL,
    system       TEXT    NOT NULL,
    format       TEXT    NOT NULL,
    key_hash     BLOB    NOT NULL,
    content_hash BLOB    NOT NULL,
    received_at  BIGINT  NOT NULL,
    state        TEXT    NOT NULL,
    outcome      TEXT,
    report       TEXT,
    sealed       BLOB    NOT NULL,
    PRIMARY KEY (jurisdiction, id)
);
CREATE UNIQUE INDEX input_by_content ON input (jurisdiction, system, key_hash, content_hash);

CREATE TABLE ingest_key (
    jurisdiction TEXT NOT NULL,
    system       TEXT NOT NULL,
    key_hash     BLOB NOT NULL,
    content_hash BLOB NOT NULL,
    version      INTEGER NOT NULL,
    PRIMARY KEY (jurisdiction, system, key_hash)
);

CREATE TABLE event (
    jurisdiction TEXT   NOT NULL,
    position     BIGINT NOT NULL,
    id           BLOB   NOT NULL,
    input        BLOB,
    system       TEXT   NOT NULL,
    type         TEXT   NOT NULL,
    occurred_at  BIGINT NOT NULL,
    recorded_at  BIGINT NOT NULL,
    state        TEXT   NOT NULL,
    note         TEXT,
    sealed       BLOB   NOT NULL,
    PRIMARY KEY (jurisdiction, position)
);
CREATE INDEX event_waiting ON event (jurisdiction, state, position) WHERE state = 'waiting';
CREATE INDEX event_by_type ON event (jurisdiction, type, position);
CREATE INDEX event_by_input ON event (jurisdiction, input, position);

CREATE TABLE document (
    jurisdiction TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    key          BLOB    NOT NULL,
    version      BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    sealed       BLOB    NOT NULL,
    PRIMARY KEY (jurisdiction, kind, key)
);

CREATE TABLE document_index (
    jurisdiction TEXT NOT NULL,
    kind         TEXT NOT NULL,
    field        TEXT NOT NULL,
    value        BLOB NOT NULL,
    key          BLOB NOT NULL,
    PRIMARY KEY (jurisdiction, kind, field, value, key)
);
CREATE INDEX document_index_by_key ON document_index (jurisdiction, kind, key);

CREATE TABLE decision (
    jurisdiction TEXT   NOT NULL,
    id           BLOB   NOT NULL,
    decided_at   BIGINT NOT NULL,
    action       TEXT   NOT NULL,
    stage        TEXT   NOT NULL,
    outcome      TEXT   NOT NULL,
    recipient    TEXT   NOT NULL,
    person       BLOB,
    bundle       TEXT   NOT NULL,
    link_version BIGINT NOT NULL,
    sealed       BLOB   NOT NULL,
    PRIMARY KEY (jurisdiction, id)
);
CREATE INDEX decision_by_person ON decision (jurisdiction, person, decided_at);

CREATE TABLE outbox (
    jurisdiction TEXT    NOT NULL,
    id           BLOB    NOT NULL,
    position     BIGINT  NOT NULL,
    lane         TEXT    NOT NULL,
    case_key     BLOB    NOT NULL,
    kind         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at       BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    changed_at   BIGINT  NOT NULL,
    decision     BLOB    NOT NULL,
    file         TEXT,
    fault        TEXT,
    note         TEXT,
    sealed       BLOB    NOT NULL,
    PRIMARY KEY (jurisdiction, id)
);
CREATE INDEX outbox_due ON outbox (jurisdiction, lane, position)
    WHERE state IN ('queued', 'failed', 'parked');
CREATE INDEX outbox_by_file ON outbox (jurisdiction, lane, file);
CREATE INDEX outbox_by_state ON outbox (jurisdiction, state);

CREATE TABLE attempt (
    jurisdiction TEXT    NOT NULL,
    message      BLOB    NOT NULL,
    number       INTEGER NOT NULL,
    started_at   BIGINT  NOT NULL,
    ended_at     BIGINT  NOT NULL,
    outcome      TEXT    NOT NULL,
    fault        TEXT,
    note         TEXT,
    decision     BLOB    NOT NULL,
    PRIMARY KEY (jurisdiction, message, number)
);

CREATE TABLE audit (
    jurisdiction TEXT   NOT NULL,
    position     BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    actor        TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    object       TEXT   NOT NULL,
    detail       TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction, position)
);

CREATE TABLE lane (
    jurisdiction TEXT NOT NULL,
    lane         TEXT NOT NULL,
    is_paused    INTEGER NOT NULL,
    sequence     BIGINT  NOT NULL,
    PRIMARY KEY (jurisdiction, lane)
);
