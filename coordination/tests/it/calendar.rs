use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use tandem_coordination::calendar::Calendar;
use tandem_coordination::referral::{Move, Readiness, Referral, ReferralFact, Rules};
use tandem_coordination::timers::{TimerName, TimerSettings, is_overdue, running_timers};
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus, Urgency};

fn calendar() -> Calendar {
    // Presidents' Day 2026.
    Calendar::new(
        TimeZone::get("America/Los_Angeles").unwrap(),
        [date(2026, 2, 16)],
    )
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn business_days_skip_weekends_and_the_jurisdictions_holidays() {
    let friday = at("2026-02-13T10:00:00-08:00");
    assert_eq!(
        calendar().after_business_days(friday, 1),
        at("2026-02-17T10:00:00-08:00")
    );
    let sunday = at("2026-02-15T10:00:00-08:00");
    assert_eq!(
        calendar().after_business_days(sunday, 1),
        at("2026-02-17T10:00:00-08:00")
    );
    assert_eq!(calendar().after_business_days(friday, 0), friday);
}

#[test]
fn days_are_those_of_the_jurisdictions_zone() {
    // 23:30 and 00:30 in Los Angeles: one day apart, though the same day in UTC.
    let (from, to) = (at("2026-02-03T07:30:00Z"), at("2026-02-03T08:30:00Z"));
    assert_eq!(calendar().days_between(from, to), 1);
    assert_eq!(calendar().days_between(to, from), -1);
}

#[test]
fn a_day_later_keeps_the_time_of_day_over_the_change_to_summer_time() {
    let before = at("2026-03-07T09:00:00-08:00");
    assert_eq!(
        calendar().after_days(before, 1),
        at("2026-03-08T09:00:00-07:00")
    );
}

fn referral(urgency: Urgency, facts: &[ReferralFact]) -> Referral {
    let (rules, mut referral) = (Rules::shipped().unwrap(), Referral::default());
    let opened = ReferralFact::Opened {
        wish: Move::new(
            ReferralStatus::Requested,
            ReferralRole::Source,
            at("2026-02-02T09:00:00-08:00"),
        ),
        urgency,
        part_of: None,
        readiness: Readiness::complete(),
    };
    referral.apply(&rules, &opened).unwrap();
    for fact in facts {
        referral.apply(&rules, fact).unwrap();
    }
    referral
}

fn due(referral: &Referral, name: TimerName) -> Option<Timestamp> {
    let timers = running_timers(referral, &TimerSettings::default(), &calendar());
    timers
        .into_iter()
        .find(|timer| timer.name == name)
        .map(|timer| timer.due)
}

fn accepted(at: Timestamp) -> ReferralFact {
    ReferralFact::Moved(Move::new(
        ReferralStatus::Accepted,
        ReferralRole::Target,
        at,
    ))
}

#[test]
fn each_timer_starts_at_its_own_fact_and_stops_when_answered() {
    let sent = ReferralFact::RequestSent {
        at: at("2026-02-02T09:01:00-08:00"),
    };
    let delivered = ReferralFact::RequestDelivered {
        at: at("2026-02-02T09:02:00-08:00"),
    };
    let waiting = referral(Urgency::Routine, std::slice::from_ref(&sent));
    let acknowledge = due(&waiting, TimerName::AcknowledgeDelivery);
    assert_eq!(acknowledge, Some(at("2026-02-03T09:01:00-08:00")));
    assert_eq!(due(&waiting, TimerName::Decision), None);

    let asked = referral(Urgency::Routine, &[sent, delivered]);
    assert_eq!(due(&asked, TimerName::AcknowledgeDelivery), None);
    assert_eq!(
        due(&asked, TimerName::Decision),
        Some(at("2026-02-04T09:02:00-08:00"))
    );
    // Fourteen business days with a holiday among them.
    assert_eq!(
        due(&asked, TimerName::DecisionLimit),
        Some(at("2026-02-23T09:02:00-08:00"))
    );
    assert_eq!(
        due(&asked, TimerName::ClosureWindow),
        Some(at("2026-04-03T09:00:00-07:00"))
    );
}

#[test]
fn a_crisis_is_contacted_within_one_calendar_day() {
    let friday = at("2026-02-06T15:00:00-08:00");
    let routine = referral(Urgency::Routine, &[accepted(friday)]);
    assert_eq!(
        due(&routine, TimerName::FirstContact),
        Some(at("2026-02-11T15:00:00-08:00"))
    );
    let crisis = referral(Urgency::Crisis, &[accepted(friday)]);
    assert_eq!(
        due(&crisis, TimerName::FirstContact),
        Some(at("2026-02-07T15:00:00-08:00"))
    );
    let contacted = ReferralFact::ClientContacted {
        at: at("2026-02-06T16:00:00-08:00"),
    };
    let answered = referral(Urgency::Crisis, &[accepted(friday), contacted]);
    assert_eq!(due(&answered, TimerName::FirstContact), None);
}

#[test]
fn an_expired_timer_flags_and_a_closed_referral_has_none() {
    let open = referral(
        Urgency::Routine,
        &[accepted(at("2026-02-03T09:00:00-08:00"))],
    );
    let settings = TimerSettings::default();
    let due = due(&open, TimerName::FirstContact).unwrap();
    assert!(!is_overdue(&open, &settings, &calendar(), due));
    let later = due + jiff::SignedDuration::from_secs(1);
    assert!(is_overdue(&open, &settings, &calendar(), later));
    assert_eq!(open.status(), Some(ReferralStatus::Accepted));

    let rejected = Move::new(
        ReferralStatus::Rejected,
        ReferralRole::Target,
        at("2026-02-03T09:00:00-08:00"),
    );
    let rejected = ReferralFact::Moved(rejected.because(ReasonCode::NoCapacity));
    let closed = referral(Urgency::Routine, &[rejected]);
    assert_eq!(running_timers(&closed, &settings, &calendar()), []);
}
