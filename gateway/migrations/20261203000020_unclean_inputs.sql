-- Inputs of which something could not be used: they can be read once more, when what was missing is there.
CREATE INDEX input_unclean ON input (jurisdiction, received_at, id)
    WHERE outcome IN ('rejected', 'partially-accepted', 'accepted-with-errors');
