//! Which conversation delivers which message.

use tandem_adapter_port::conversation::Conversation;
use tandem_adapter_port::memory::PartnerMemory;
use tandem_adapter_port::outbound::{Outbound, OutboundBody, PlanView, ReferralView};
use tandem_mappings::model::referral::{ReferralRole, ReferralStatus};

use super::care_plan::{CarryPlan, CarryingTask};
use super::memory::{Remote, TASK, id_for};
use super::notice::Notice;
use super::place_order::PlaceOrder;
use super::update_task::{Edit, UpdateTask};
use super::withdraw::Withdraw;
use crate::config::FhirConfig;
use crate::read::reference;
use crate::write::care_plan::plan_key;
use crate::write::task_status::TaskChange;

/// The conversation that delivers one message to a FHIR server.
///
/// A referral becomes ServiceRequest and Task; its withdrawal and every status move the Task that
/// stands for it at the partner; a plan travels as output of such a Task. What has no Task at the
/// partner is told as a Communication.
#[must_use]
pub fn deliver(
    config: &FhirConfig,
    outbound: &Outbound,
    memory: &dyn PartnerMemory,
) -> Box<dyn Conversation> {
    match &outbound.body {
        OutboundBody::Referral(view) if view.is_withdrawn => withdraw(config, view, memory),
        OutboundBody::Referral(view) => Box::new(PlaceOrder::new(
            config.clone(),
            outbound.clone(),
            (**view).clone(),
        )),
        OutboundBody::ReferralStatus(view) => {
            let referral = view.referral.to_string();
            // Who only looks on has no Task to move.
            let task = view.recipient_role.and_then(|role| {
                find_task(
                    config,
                    memory,
                    &referral,
                    &view.recipient_resources,
                    Some(role),
                )
            });
            match task {
                Some(task) => {
                    let mut change = TaskChange::from_view(view);
                    if task.is_ours {
                        change.gateway_role = ReferralRole::Source;
                    }
                    let edit = Edit::Move(Box::new(change));
                    let (id, index, is_ours) = (task.id, task.index, task.is_ours);
                    Box::new(UpdateTask::new(config.clone(), id, edit, index, is_ours))
                }
                None => Box::new(Notice::new(config.clone(), outbound.clone())),
            }
        }
        OutboundBody::Plan(view) => match carrying_task(config, view, memory) {
            Some(task) => {
                let known = id_for(memory, "CarePlan", &plan_key(view));
                let (config, outbound) = (config.clone(), outbound.clone());
                Box::new(CarryPlan::new(
                    config,
                    outbound,
                    (**view).clone(),
                    task,
                    known,
                ))
            }
            None => Box::new(Notice::new(config.clone(), outbound.clone())),
        },
        _ => Box::new(Notice::new(config.clone(), outbound.clone())),
    }
}

fn withdraw(
    config: &FhirConfig,
    view: &ReferralView,
    memory: &dyn PartnerMemory,
) -> Box<dyn Conversation> {
    let referral = view.referral.to_string();
    let change = TaskChange {
        status: ReferralStatus::Cancelled,
        reason: view.withdrawn_reason,
        reason_text: None,
        sub_status: None,
        outputs: Vec::new(),
        domain: None,
        gateway_role: ReferralRole::Source,
    };
    let edit = Edit::Move(Box::new(change));
    match find_task(config, memory, &referral, &[], None) {
        Some(CarryingTask { id, index, is_ours }) => {
            Box::new(UpdateTask::new(config.clone(), id, edit, index, is_ours))
        }
        None => Box::new(Withdraw::new(config.clone(), referral, edit)),
    }
}

/// The Task that stands for a referral at the partner. A source is asked about the Task that it made
/// itself, even where it is the target of the same referral too; else the gateway's own comes first.
fn find_task(
    config: &FhirConfig,
    memory: &dyn PartnerMemory,
    referral: &str,
    resources: &[String],
    role: Option<ReferralRole>,
) -> Option<CarryingTask> {
    let is_source = role == Some(ReferralRole::Source);
    let by_url = resources
        .iter()
        .find_map(|url| task_at_partner(config, url));
    let by_url = by_url.map(|id| (id, false));
    let rows = memory.rows_by(TASK, referral).into_iter();
    let by_memory = rows
        .map(|row| {
            let is_ours = Remote::from_row(&row).is_some_and(|remote| remote.is_ours);
            (row.key, is_ours)
        })
        .find(|(_, is_ours)| !(is_source && *is_ours));
    let found = if is_source {
        by_url.or(by_memory)
    } else {
        by_memory.or(by_url)
    };
    let index = vec![referral.to_owned()];
    found.map(|(id, is_ours)| CarryingTask { id, index, is_ours })
}

/// Id of the Task that a URL names, if it stands on this partner's server.
fn task_at_partner(config: &FhirConfig, url: &str) -> Option<String> {
    let target = reference::parse(url).filter(|target| target.kind == TASK)?;
    let base = config.base.as_str().trim_end_matches('/');
    target
        .base
        .is_none_or(|own| own == base)
        .then(|| target.id.to_owned())
}

fn carrying_task(
    config: &FhirConfig,
    view: &PlanView,
    memory: &dyn PartnerMemory,
) -> Option<CarryingTask> {
    let resources: Vec<String> = view.referral_resource.iter().cloned().collect();
    match &view.referral {
        Some(referral) => find_task(config, memory, &referral.to_string(), &resources, None),
        None => {
            let id = resources
                .iter()
                .find_map(|url| task_at_partner(config, url))?;
            Some(CarryingTask {
                id,
                index: Vec::new(),
                is_ours: false,
            })
        }
    }
}
