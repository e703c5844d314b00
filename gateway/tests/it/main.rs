//! The gateway from the outside, as one test binary.

mod api_access;
mod api_deletion;
mod api_fhir;
mod api_gate;
mod api_hostile;
mod api_inbox;
mod api_match;
mod api_matching;
mod api_office;
mod api_own_match;
mod api_public;
mod api_referrals;
mod api_review;
mod api_same_answer;
mod api_timers;
mod cli_client;
mod cli_decide;
mod cli_decide_consents;
mod cli_deployment;
mod cli_encode;
mod cli_link;
mod cli_link_beside;
mod cli_measure;
mod cli_program;
mod cli_read;
mod processes;
