//! Reading and writing whole packages, through the port's contract only.

mod checker;
mod gates;
mod package;
mod reading;
mod robustness;
mod tolerance;
mod writing;
