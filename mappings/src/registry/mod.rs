//! The registry: organisations and the legal facts about them, teams, systems, programmes, workers and services.
