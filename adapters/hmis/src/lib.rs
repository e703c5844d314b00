//! Reads HMIS CSV packages; writes Event deltas and custom files.
