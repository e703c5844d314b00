//! Judging a package against what this system holds.

use super::holdings::{Holdings, cell};
use super::layout::Layout;
use super::{HmisPackage, HmisRow, PackageKind};
use crate::violation::Violation;

/// Events that mean an opening at a project.
const OPENINGS: [&str; 8] = ["10", "11", "12", "13", "14", "15", "17", "18"];
/// Columns that may differ between a row here and its copy in a package.
const METADATA: [&str; 3] = ["ExportID", "DateUpdated", "UserID"];

/// All complaints about a package that kept to the layout.
pub(crate) fn complaints(
    layout: &Layout,
    held: &Holdings,
    package: &HmisPackage,
    place: &str,
    today: &str,
) -> Vec<Violation> {
    let judge = Judge {
        layout,
        held,
        place,
        today,
        found: Vec::new(),
    };
    match package.kind {
        PackageKind::Delta => judge.delta(package),
        PackageKind::Custom => judge.custom(package),
        PackageKind::Text => Vec::new(),
    }
}

struct Judge<'package> {
    layout: &'package Layout,
    held: &'package Holdings,
    place: &'package str,
    today: &'package str,
    found: Vec<Violation>,
}

impl Judge<'_> {
    fn refuse(&mut self, file: &str, key: &str, rule: &str, detail: impl Into<String>) {
        self.found.push(Violation::new(
            format!("{}/{file} {key}", self.place),
            rule,
            detail,
        ));
    }

    fn refuse_unless(&mut self, holds: bool, key: &str, rule: &str, detail: &str) {
        if !holds {
            self.refuse("Event.csv", key, rule, detail);
        }
    }

    fn delta(mut self, package: &HmisPackage) -> Vec<Violation> {
        for needed in ["Export", "Event"] {
            if !package.files.contains_key(needed) {
                self.refuse(needed, "", "file-missing", "a delta needs it");
            }
        }
        self.export(package);
        for (file, rows) in &package.files {
            for row in rows {
                match file.as_str() {
                    "Export" => {}
                    "Event" => self.event(row),
                    _ => self.copy(file, row),
                }
            }
        }
        self.found
    }

    fn export(&mut self, package: &HmisPackage) {
        let rows = package.files.get("Export").map_or(&[][..], Vec::as_slice);
        let [export] = rows else {
            self.refuse(
                "Export.csv",
                "",
                "export-rows",
                format!("{} rows, not one", rows.len()),
            );
            return;
        };
        for (column, wanted) in [
            ("ExportDirective", "1"),
            ("ExportPeriodType", "1"),
            ("HashStatus", "1"),
            ("CSVVersion", "2026 v1.0"),
        ] {
            if cell(export, column) != wanted {
                let detail = format!("{column} is {}, not {wanted}", cell(export, column));
                self.refuse("Export.csv", "", "export-value", detail);
            }
        }
        let source = if cell(export, "SourceType") == "1" {
            "SourceID"
        } else {
            "SourceName"
        };
        if cell(export, source).is_empty() {
            self.refuse(
                "Export.csv",
                "",
                "export-value",
                format!("{source} is blank"),
            );
        }
    }

    fn user(&mut self, file: &str, key: &str, row: &HmisRow) {
        if self.held.row("User", cell(row, "UserID")).is_none() {
            self.refuse(file, key, "unknown-user", "UserID is not known here");
        }
    }

    /// The stay exists here and is the person's; a victim service provider's stays are none of
    /// anybody's business.
    fn stay(&mut self, file: &str, key: &str, row: &HmisRow) -> Option<HmisRow> {
        let Some(stay) = self
            .held
            .row("Enrollment", cell(row, "EnrollmentID"))
            .cloned()
        else {
            self.refuse(
                file,
                key,
                "unknown-enrollment",
                "EnrollmentID is not known here",
            );
            return None;
        };
        if cell(&stay, "PersonalID") != cell(row, "PersonalID") {
            self.refuse(
                file,
                key,
                "wrong-person",
                "PersonalID is not the one of the enrollment",
            );
        }
        let project = self.held.row("Project", cell(&stay, "ProjectID"));
        let organization =
            project.and_then(|one| self.held.row("Organization", cell(one, "OrganizationID")));
        if organization.is_some_and(|one| cell(one, "VictimServiceProvider") == "1") {
            self.refuse(
                file,
                key,
                "victim-services",
                "speaks of a victim service provider's stay",
            );
        }
        Some(stay)
    }

    fn event(&mut self, row: &HmisRow) {
        let key = cell(row, "EventID").to_owned();
        self.user("Event.csv", &key, row);
        if let Some(stay) = self.stay("Event.csv", &key, row) {
            let is_head = cell(&stay, "RelationshipToHoH") == "1";
            self.refuse_unless(is_head, &key, "head", "events are recorded for the head");
            let in_stay = cell(row, "EventDate") >= cell(&stay, "EntryDate");
            self.refuse_unless(in_stay, &key, "event-date", "before the stay began");
        }
        self.event_values(&key, row);
        if let Some(known) = self.held.row("Event", &key).cloned() {
            self.event_change(&key, &known, row);
        }
    }

    fn event_values(&mut self, key: &str, row: &HmisRow) {
        let event = cell(row, "Event");
        self.refuse_unless(
            event != "17",
            key,
            "event-code",
            "17 is read, never written",
        );
        let in_time = cell(row, "EventDate") <= self.today;
        self.refuse_unless(in_time, key, "event-date", "lies in the future");
        let in_order = cell(row, "DateUpdated") >= cell(row, "DateCreated");
        self.refuse_unless(
            in_order,
            key,
            "updated",
            "DateUpdated is before DateCreated",
        );
        let place = cell(row, "LocationCrisisOrPHHousing");
        let is_opening = OPENINGS.contains(&event);
        let place_fits = if is_opening {
            self.held.row("Project", place).is_some()
        } else {
            place.is_empty()
        };
        self.refuse_unless(
            place_fits,
            key,
            "location",
            "no ProjectID of this system, or out of place",
        );
        for (column, only) in [
            ("ProbSolDivRRResult", "2"),
            ("ReferralCaseManageAfter", "5"),
        ] {
            let fits = cell(row, column).is_empty() || event == only;
            self.refuse_unless(
                fits,
                key,
                "dependent",
                &format!("{column} goes with event {only}"),
            );
        }
        let (result, date) = (cell(row, "ReferralResult"), cell(row, "ResultDate"));
        self.refuse_unless(
            result.is_empty() == date.is_empty(),
            key,
            "dependent",
            "ReferralResult and ResultDate go together",
        );
        let result_fits = result.is_empty() || is_opening;
        self.refuse_unless(
            result_fits,
            key,
            "dependent",
            "a result goes with an opening",
        );
        let after = date.is_empty() || date >= cell(row, "EventDate");
        self.refuse_unless(after, key, "result-date", "before the event");
    }

    /// A change keeps what the event is, moves DateUpdated, and blanks nothing.
    fn event_change(&mut self, key: &str, known: &HmisRow, row: &HmisRow) {
        let same = differs(known, row, &["ExportID"]).is_none();
        if same {
            return;
        }
        let newer = cell(row, "DateUpdated") > cell(known, "DateUpdated");
        self.refuse_unless(
            newer,
            key,
            "not-newer",
            "changed, but DateUpdated did not move on",
        );
        for fixed in [
            "EnrollmentID",
            "PersonalID",
            "EventDate",
            "Event",
            "DateCreated",
        ] {
            let kept = cell(known, fixed) == cell(row, fixed);
            self.refuse_unless(
                kept,
                key,
                "identity",
                &format!("{fixed} of an event changed"),
            );
        }
        self.blanks("Event.csv", key, known, row);
    }

    fn blanks(&mut self, file: &str, key: &str, known: &HmisRow, row: &HmisRow) {
        for (column, value) in known {
            if !value.is_empty() && cell(row, column).is_empty() {
                self.refuse(
                    file,
                    key,
                    "blank-over-value",
                    format!("{column} would be lost"),
                );
            }
        }
    }

    /// Rows of other files are copies of what is here; the sender owns none of them.
    fn copy(&mut self, file: &str, row: &HmisRow) {
        let Some(layout) = self.layout.file(file) else {
            return;
        };
        let key = cell(row, layout.key()).to_owned();
        let file_name = format!("{file}.csv");
        let Some(known) = self.held.row(file, &key).cloned() else {
            self.refuse(&file_name, &key, "foreign-row", "is not known here");
            return;
        };
        self.blanks(&file_name, &key, &known, row);
        if let Some(column) = differs(&known, row, &METADATA) {
            self.refuse(
                &file_name,
                &key,
                "foreign-change",
                format!("{column} was changed"),
            );
        }
        if file == "Enrollment" {
            self.stay(&file_name, &key, row);
        }
    }

    fn custom(mut self, package: &HmisPackage) -> Vec<Violation> {
        if package.files.contains_key("Export") {
            self.export(package);
        }
        for (file, rows) in package.files.iter().filter(|(file, _)| *file != "Export") {
            for row in rows {
                let key = cell(row, "CustomQuestionID").to_owned();
                self.user(file, &key, row);
                self.stay(file, &key, row);
                let Some(known) = self.held.row(file, &key).cloned() else {
                    continue;
                };
                let changed = differs(&known, row, &["ExportID"]).is_some();
                if changed && cell(row, "DateUpdated") <= cell(&known, "DateUpdated") {
                    self.refuse(
                        file,
                        &key,
                        "not-newer",
                        "changed, but DateUpdated did not move on",
                    );
                }
            }
        }
        self.found
    }
}

/// The first column with another value.
fn differs(known: &HmisRow, row: &HmisRow, except: &[&str]) -> Option<String> {
    row.iter()
        .filter(|(column, _)| !except.contains(&column.as_str()))
        .find(|(column, value)| cell(known, column) != value.as_str())
        .map(|(column, _)| column.clone())
}
