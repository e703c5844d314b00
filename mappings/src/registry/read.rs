//! The read side of the registry.

use std::collections::BTreeMap;

use super::organization::{Organization, Term};
use super::program::Program;
use super::service::Service;
use super::system::System;
use super::team::Team;
use super::worker::{Worker, WorkerId};
use crate::model::id::{Jurisdiction, OrganizationId, ProgramId, ServiceId, SystemId, TeamId};

/// Organisations, teams, systems, programmes, workers and services, all consistent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    pub(super) jurisdiction: Option<Jurisdiction>,
    pub(super) organizations: BTreeMap<OrganizationId, Organization>,
    pub(super) teams: BTreeMap<TeamId, Team>,
    pub(super) systems: BTreeMap<SystemId, System>,
    pub(super) programs: BTreeMap<ProgramId, Program>,
    pub(super) workers: BTreeMap<(OrganizationId, WorkerId), Worker>,
    pub(super) services: BTreeMap<ServiceId, Service>,
}

impl Registry {
    /// The jurisdiction of every entry; `None` for an empty registry only.
    #[must_use]
    pub fn jurisdiction(&self) -> Option<&Jurisdiction> {
        self.jurisdiction.as_ref()
    }

    /// An organisation by id.
    #[must_use]
    pub fn organization(&self, id: &OrganizationId) -> Option<&Organization> {
        self.organizations.get(id)
    }

    /// Every organisation, by id.
    pub fn organizations(&self) -> impl Iterator<Item = &Organization> {
        self.organizations.values()
    }

    /// A service by id.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        self.services.get(id)
    }

    /// Every service, by id.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// The services that an organisation gives, by id.
    pub fn services_of<'a>(
        &'a self,
        organization: &'a OrganizationId,
    ) -> impl Iterator<Item = &'a Service> {
        self.services
            .values()
            .filter(move |service| service.organization == *organization)
    }

    /// A team by id.
    #[must_use]
    pub fn team(&self, id: &TeamId) -> Option<&Team> {
        self.teams.get(id)
    }

    /// Every team, by id.
    pub fn teams(&self) -> impl Iterator<Item = &Team> {
        self.teams.values()
    }

    /// The teams of an organisation with the days of its membership, by team id.
    pub fn teams_of<'a>(
        &'a self,
        organization: &'a OrganizationId,
    ) -> impl Iterator<Item = (&'a Team, Term)> {
        self.teams
            .values()
            .filter_map(move |team| team.membership(organization).map(|term| (team, term)))
    }

    /// A system by id.
    #[must_use]
    pub fn system(&self, id: &SystemId) -> Option<&System> {
        self.systems.get(id)
    }

    /// Every system, by id.
    pub fn systems(&self) -> impl Iterator<Item = &System> {
        self.systems.values()
    }

    /// The systems that hold an organisation's records, by id.
    pub fn systems_of<'a>(
        &'a self,
        organization: &'a OrganizationId,
    ) -> impl Iterator<Item = &'a System> {
        self.systems
            .values()
            .filter(move |system| system.organization == *organization)
    }

    /// The organisation whose records a system holds.
    #[must_use]
    pub fn organization_of_system(&self, id: &SystemId) -> Option<&Organization> {
        self.system(id)
            .and_then(|system| self.organization(&system.organization))
    }

    /// A programme by id.
    #[must_use]
    pub fn program(&self, id: &ProgramId) -> Option<&Program> {
        self.programs.get(id)
    }

    /// Every programme, by id.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.programs.values()
    }

    /// A worker of an organisation.
    #[must_use]
    pub fn worker(&self, organization: &OrganizationId, id: &WorkerId) -> Option<&Worker> {
        self.workers.get(&(organization.clone(), id.clone()))
    }

    /// Every worker, by organisation and id.
    pub fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.workers.values()
    }
}
