//! The adapter from outside: what it reads, what it asks for, what it answers.

mod message;
mod ordering;
mod posting;
mod pulling;
mod reading;
mod server;
mod setting;
mod updating;
