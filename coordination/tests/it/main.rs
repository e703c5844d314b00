//! Rules of coordination, seen from outside.

mod calendar;
mod comanagement;
mod referral;
