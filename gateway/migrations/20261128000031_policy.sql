-- Which rules are in force from which instant on, and who has signed for them.
CREATE TABLE policy_activation (
    jurisdiction TEXT NOT NULL,
    effective_at BIGINT NOT NULL,
    bundle TEXT NOT NULL,
    approvals TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    started_at BIGINT,
    PRIMARY KEY (jurisdiction, effective_at, bundle)
);
