//! The common model and the tables by which each system's records mean something in it.
