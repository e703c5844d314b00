//! The adapter from outside: what it reads, what it asks for, what it answers.

mod reading;
mod setting;
