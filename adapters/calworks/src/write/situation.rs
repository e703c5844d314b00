//! Everything but referrals: mutual clients, common cases, plans, participation, meetings, ratings, conflicts, changes,
//! recalls and reminders of consents that end.

use jiff::tz::TimeZone;
use tandem_adapter_port::outbound::{
    AssessmentView, ChangeView, ComanagementView, ConflictView, ConsentReminderView, MeetingView,
    MutualClientView, ParticipationView, PlanView, RecallView,
};
use tandem_mappings::model::comanagement::ComanagementState;
use tandem_mappings::model::involvement::PlacementChange;
use tandem_mappings::model::message::Duty;
use tandem_mappings::model::plan::{Activity, FundingLine, Goal, PlanType};

use super::render::{moment, worker};
use crate::linkages::{Fields, Message};
use crate::tables::LineType;

/// The same family is served elsewhere.
pub(super) fn mutual_client(message: &mut Message, view: &MutualClientView) {
    let header = &mut message.header;
    header.set("message_type", "client_match");
    header.set("partner_system", view.partner_system.as_str());
    header.set("partner_program", view.partner_program.code());
    header.set_some("partner_case_number", view.partner_case.as_ref());
    partner_status(header, view.partner_case_status.as_deref());
    header.set_some("status_date", view.since.map(|since| since.to_string()));
    worker(header, view.worker.as_ref());
}

/// The partner's status, when the message's list has it; the list is closed and the words of others do not fit.
fn partner_status(header: &mut Fields, status: Option<&str>) {
    const KNOWN: [&str; 8] = ["open", "closed", "sanctioned", "ER", "FM", "FR", "PP", "ST"];
    let known = status.and_then(|status| {
        KNOWN
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(status.trim()))
    });
    header.set_some("partner_case_status", known);
}

/// Co-management started or ended. A pause has no message of its own: it is told as the common case with the reason
/// `paused`.
pub(super) fn comanagement(message: &mut Message, view: &ComanagementView, zone: &TimeZone) {
    let header = &mut message.header;
    let is_ended = view.state == ComanagementState::Ended;
    header.set(
        "message_type",
        if is_ended {
            "end_of_common_case"
        } else {
            "common_case_referral"
        },
    );
    header.set("episode_id", view.episode.to_string());
    header.set_some(
        "start_reason",
        view.start_reason.map(|reason| reason.code()),
    );
    header.set_some("end_reason", view.end_reason.map(|reason| reason.code()));
    header.set_some("partner_case_number", view.partner_case.as_ref());
    header.set_some("step", view.step.map(|step| step.code()));
    header.set_some("transition_plan", view.transition_plan.as_ref());
    header.set(
        "effective_date",
        super::render::day(view.at, zone).to_string(),
    );
    if view.state == ComanagementState::Paused {
        // The list of reasons is that of referrals: a pause is told in words.
        header.set("reason_text", "paused");
    }
    worker(header, view.worker.as_ref());
}

/// A plan, or what changed in it.
pub(super) fn plan(message: &mut Message, view: &PlanView, zone: &TimeZone) {
    let header = &mut message.header;
    header.set("message_type", "plan_update");
    header.set("plan_id", view.plan.as_str());
    header.set("plan_type", view.plan_type.code());
    header.set("plan_status", view.status.code());
    header.set_some(
        "plan_version",
        view.version.map(|version| version.to_string()),
    );
    header.set_some("effective_date", view.from.map(|from| from.to_string()));
    for told in &view.goals {
        message.push(LineType::Goal, goal(told, view));
    }
    for told in &view.activities {
        message.push(LineType::Activity, activity(told, zone));
    }
    for told in &view.fundings {
        message.push(LineType::Funding, funding(told));
    }
}

fn goal(goal: &Goal, view: &PlanView) -> Fields {
    let mut fields = Fields::default();
    fields.set("goal_id", goal.id.as_str());
    fields.set("domain", goal.domain.code());
    fields.set_some("goal_statement", goal.statement.as_ref());
    fields.set("goal_owner", goal.owner.as_ref().unwrap_or(&view.owner.id));
    fields.set("goal_lifecycle", goal.lifecycle.code());
    fields.set_some(
        "goal_achievement",
        goal.achievement.map(|achievement| achievement.code()),
    );
    fields.set_some("target_date", goal.target_date.map(|date| date.to_string()));
    fields
}

fn activity(activity: &Activity, zone: &TimeZone) -> Fields {
    let mut fields = Fields::default();
    fields.set("activity_id", activity.id.as_str());
    fields.set("domain", activity.domain.code());
    fields.set_some("activity_name", activity.name.as_ref());
    fields.set("activity_kind", activity.kind.code());
    fields.set("activity_status", activity.status.code());
    fields.set_some("provider", activity.provider.as_ref());
    fields.set_some(
        "hours_per_week",
        activity.hours_per_week.map(|hours| hours.to_string()),
    );
    fields.set_some("starts_at", activity.starts_at.map(|at| moment(at, zone)));
    fields.set_some("ends_at", activity.ends_at.map(|at| moment(at, zone)));
    fields.set_some(
        "mandated_by",
        activity.mandated_by.map(|mandate| mandate.code()),
    );
    let plans: Vec<&str> = activity
        .counts_toward
        .iter()
        .copied()
        .map(PlanType::code)
        .collect();
    fields.set("counts_toward", plans.join(";"));
    let referral = activity.referral.as_ref().and_then(|referral| {
        referral
            .id
            .map(|id| id.to_string())
            .or_else(|| referral.source_ref.clone())
    });
    fields.set_some("activity_referral_id", referral);
    fields.set_some("goal_id", activity.goal.as_ref());
    fields
}

fn funding(line: &FundingLine) -> Fields {
    let mut fields = Fields::default();
    fields.set("resource_category", line.category.code());
    fields.set("payer", line.payer.as_str());
    fields.set(
        "payer_of_last_resort",
        if line.payer_of_last_resort {
            "yes"
        } else {
            "no"
        },
    );
    fields.set_some("amount", line.amount.map(|amount| amount.to_string()));
    fields.set_some("period_start", line.from.map(|day| day.to_string()));
    fields.set_some("period_end", line.to.map(|day| day.to_string()));
    fields
}

/// Standing in the work programme.
pub(super) fn participation(message: &mut Message, view: &ParticipationView) {
    let header = &mut message.header;
    header.set("message_type", "participation");
    header.set("participation_status", view.status.code());
    let effective = view.effective.and_then(|date| date.full());
    header.set_some("effective_date", effective.map(|day| day.to_string()));
    header.set_some("reason_text", view.reason.as_ref());
}

/// A meeting, held or planned.
pub(super) fn meeting(message: &mut Message, view: &MeetingView, zone: &TimeZone) {
    let header = &mut message.header;
    header.set("message_type", "meeting");
    header.set("meeting_type", view.meeting_type.code());
    header.set("meeting_date", moment(view.at, zone));
    header.set_some("meeting_place", view.place.as_ref());
    let present: Vec<String> = view
        .present
        .iter()
        .map(|attendee| format!("{}:{}", attendee.system, attendee.role))
        .collect();
    header.set("meeting_present", present.join(";"));
    header.set_some(
        "family_present",
        view.family_present
            .map(|is_there| if is_there { "yes" } else { "no" }),
    );
}

/// Levels rated.
pub(super) fn assessment(message: &mut Message, view: &AssessmentView) {
    let header = &mut message.header;
    header.set("message_type", "assessment");
    header.set("instrument", view.instrument.as_str());
    header.set("stage", view.stage.code());
    header.set("effective_date", view.rated_on.to_string());
    for rating in &view.ratings {
        let mut fields = Fields::default();
        fields.set("domain", rating.domain.code());
        fields.set_some("rating_level", rating.level.map(|level| level.to_string()));
        fields.set_some("rated_person_id", rating.person.as_ref());
        message.push(LineType::Rating, fields);
    }
}

/// Plans clash. The recipient's own object stands on a row of its own, the other's id in the header.
pub(super) fn conflict(message: &mut Message, view: &ConflictView, zone: &TimeZone) {
    let header = &mut message.header;
    header.set("message_type", "conflict");
    header.set("conflict_kind", view.conflict.code());
    header.set_some("conflict_with", view.other.as_ref());
    header.set_some(
        "target_organization",
        view.other_owner.as_ref().map(|party| party.id.as_str()),
    );
    if let Some(own) = &view.own {
        let mut fields = Fields::default();
        fields.set("activity_id", own);
        fields.set_some("starts_at", view.at.map(|at| moment(at, zone)));
        message.push(LineType::Activity, fields);
    }
}

/// A change that both sides exchange while coordinating: a removal has a message of its own, everything else is told
/// as a client list with the change as its reason.
pub(super) fn change(message: &mut Message, view: &ChangeView) {
    let header = &mut message.header;
    let day = view
        .date
        .and_then(|date| date.full())
        .map(|day| day.to_string());
    if view.placement == Some(PlacementChange::Removed) {
        header.set("message_type", "removal_notice");
        header.set_some("removal_date", day.as_ref());
        let plan = view
            .reunification_plan
            .map(|exists| if exists { "yes" } else { "no" });
        header.set_some("reunification_plan", plan);
    } else {
        // The client list is the message that says how a family stands with the partner; a later one takes the place
        // of an earlier one.
        header.set("message_type", "client_match");
        // The list of reasons is that of referrals: a change is told in words, its type first.
        let detail = view
            .placement
            .map(|placement| placement.code())
            .or(view.status.as_deref());
        let text = detail.map_or_else(
            || view.change.clone(),
            |detail| format!("{}: {detail}", view.change),
        );
        header.set("reason_text", text);
        partner_status(header, view.status.as_deref());
    }
    header.set_some("effective_date", day);
    worker(header, view.worker.as_ref());
}

/// Stop using what was delivered: message ids and a duty, and nothing of a person. The form has room for one duty; the
/// strictest one includes the others.
pub(super) fn recall(message: &mut Message, view: &RecallView) {
    let header = &mut message.header;
    header.set("message_type", "recall");
    let ids: Vec<String> = view.messages.iter().map(ToString::to_string).collect();
    header.set("recalled_message_id", ids.join(";"));
    let strictest = [Duty::ReturnOrDestroy, Duty::StopUse, Duty::DoNotRedisclose]
        .into_iter()
        .find(|duty| view.duties.contains(duty));
    header.set_some("duty", strictest.map(|duty| duty.code()));
    header.remove("case_number");
}

/// A consent will end: the last day, and in words what rests on it. The field for a recalled message stays empty, since
/// nothing is recalled.
pub(super) fn consent_reminder(message: &mut Message, view: &ConsentReminderView) {
    let header = &mut message.header;
    header.set("message_type", "consent_reminder");
    header.set("effective_date", view.last_day.to_string());
    header.set("reason_text", view.sentences().join(" "));
}
