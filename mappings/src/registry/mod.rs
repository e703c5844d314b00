//! The registry: organisations with the legal facts about them, teams, systems, programmes,
//! workers and services of one jurisdiction.
//!
//! It is a folder of strict TOML files. Every cross-reference is checked when they are loaded and
//! every problem names its file and entry.

mod error;
mod load;
mod organization;
mod program;
mod read;
mod service;
mod system;
mod team;
mod worker;

pub use self::error::{Problem, RegistryError};
pub use self::organization::{
    Agreement, AgreementKind, KindError, Organization, OrganizationFacts, OrganizationKind, Term,
};
pub use self::program::Program;
pub use self::read::Registry;
pub use self::service::{Capacity, Location, LocationType, Service, ServiceStatus};
pub use self::system::System;
pub use self::team::{Team, TeamMember};
pub use self::worker::{Worker, WorkerId};
