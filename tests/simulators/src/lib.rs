//! Stand-ins for four agency systems that speak only files and HTTP.
//!
//! They know nothing of the gateway's code: each reads what arrives as a stranger would, from the
//! published tables in `tables/`, and complains about every departure. The demo script drives them
//! and checks its story in what they received.

pub mod calworks;
mod clock;
pub mod cws;
pub mod family;
pub mod fhir;
mod fillers;
mod folder;
pub mod hmis;
mod http_client;
mod inbox;
mod liar;
mod person;
pub mod postgres;
mod table;
mod violation;
mod web;
mod zip_file;

pub use clock::SimClock;
pub use folder::{Acknowledgement, ExchangeFolder, FileAnswer};
pub use http_client::{Gateway, GatewayAnswer};
pub use inbox::{Arrival, Inbox, Received};
pub use liar::{Liar, Mood};
pub use person::{CITY, COUNTY, Family, Person, ZIP};
pub use violation::Violation;
