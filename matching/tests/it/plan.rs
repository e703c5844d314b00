//! A dry run and the telling of progress: what they say is what the run does.

use std::collections::BTreeMap;

use tandem_matching::{Phase, Progress, Settings, plan_tables};

use crate::tables_run::{Wanted, generated, inputs, run, small_blocks, tables};

#[test]
fn a_plan_counts_the_pairs_that_the_run_compares() {
    for settings in [Settings::standard().unwrap(), small_blocks()] {
        plan_is_what_is_run(&settings);
    }
}

fn plan_is_what_is_run(settings: &Settings) {
    let people = generated(1500, 32);
    let plan = plan_tables(inputs(&people), settings, None).unwrap();
    let wanted = Wanted {
        settings: Some(settings.clone()),
        ..Wanted::default()
    };
    let ran = run(&people, wanted).unwrap();
    assert_eq!(plan.records, ran.report.records);
    assert_eq!(plan.plan.pairs, ran.candidates.len() as u64);
    assert_eq!(plan.plan.pairs, ran.report.statistics.pairs_compared);
    assert_eq!(plan.plan.blocking, ran.report.statistics.blocking);
    let blocks: u64 = plan.plan.survey.block_sizes.values().sum();
    assert_eq!(blocks, plan.plan.blocking.blocks);
    // A pair counts for each of its keys, and for at least one.
    let kept: u64 = plan.plan.survey.keys.iter().map(|key| key.pairs_kept).sum();
    assert!(kept >= plan.plan.pairs, "{kept}");
}

#[test]
fn a_plan_tells_what_would_be_passed_over() {
    let table = "record_id,first_name,dob,favourite\n1,Ana,2018-02-30,red\n";
    let plan = plan_tables(
        inputs(&tables(&[("a", table)])),
        &Settings::standard().unwrap(),
        None,
    );
    let plan = plan.unwrap();
    let columns: Vec<&str> = plan
        .warnings
        .iter()
        .map(|found| found.column.as_str())
        .collect();
    assert!(
        columns.contains(&"dob") && columns.contains(&"favourite"),
        "{columns:?}"
    );
}

#[test]
fn progress_goes_through_the_phases_and_ends_at_all_records() {
    let mut heard: Vec<Progress> = Vec::new();
    let listener = |moment| heard.push(moment);
    let wanted = Wanted {
        estimate: true,
        page: true,
        progress: Some(Box::new(listener)),
        ..Wanted::default()
    };
    let ran = run(&generated(1500, 33), wanted).unwrap();
    let mut phases: Vec<Phase> = heard.iter().map(|moment| moment.phase).collect();
    phases.dedup();
    assert_eq!(
        phases,
        [
            Phase::Reading,
            Phase::Blocking,
            Phase::Estimating,
            Phase::Comparing,
            Phase::Clustering,
            Phase::Writing,
            Phase::Surveying,
        ]
    );
    let comparing = heard
        .iter()
        .rfind(|moment| moment.phase == Phase::Comparing)
        .unwrap();
    let records: u64 = ran.report.records.values().sum();
    assert_eq!(
        (comparing.records, comparing.of_records),
        (records, Some(records))
    );
    assert_eq!(comparing.pairs, ran.candidates.len() as u64);
}

#[test]
fn what_is_asked_for_beside_a_run_changes_nothing_in_it() {
    let people = generated(1500, 34);
    let plain = run(
        &people,
        Wanted {
            estimate: true,
            ..Wanted::default()
        },
    )
    .unwrap();
    let wanted = Wanted {
        estimate: true,
        page: true,
        values: true,
        ..Wanted::default()
    };
    let full = run(&people, wanted).unwrap();
    assert_eq!(plain.report, full.report);
    assert_eq!((plain.links, plain.clusters), (full.links, full.clusters));
    let by_system: BTreeMap<String, u64> = full.report.records;
    assert_eq!(by_system.len(), 4);
}
