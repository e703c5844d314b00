-- Large files that lie in the folder of blobs, each with the key that opens it. The row comes after its file is on the
-- disk and goes before the file does.
CREATE TABLE blob (
    jurisdiction TEXT   NOT NULL,
    id           BLOB   NOT NULL, -- names the file
    input        BLOB   NOT NULL,
    part         TEXT   NOT NULL, -- `original`, or what was found in it: `findings`
    bytes        BIGINT NOT NULL, -- of text
    length       BIGINT NOT NULL, -- of the file
    sha256       BLOB   NOT NULL, -- of the file, so that a copy of it can be checked without a key
    made_at      BIGINT NOT NULL,
    sealed       BLOB   NOT NULL, -- the data key
    PRIMARY KEY (jurisdiction, id)
);
CREATE UNIQUE INDEX blob_by_input ON blob (jurisdiction, input, part);
