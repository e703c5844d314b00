//! What the housing system knows before the story starts.

use super::HmisRow;
use super::holdings::Holdings;
use crate::family;
use crate::person::{CITY, Family, Person, ZIP};

/// The user who does the work.
pub(crate) const WORKER: &str = "U-1";
/// Continuum of care of the borrowed county.
const COC: &str = "CA-524";
/// The victim service provider's project.
const VICTIM_PROJECT: &str = "P-VSP";

/// Who is enrolled where.
struct Stay<'family> {
    family: &'family Family,
    /// First personal id; children count on from it.
    personal_id: u32,
    household: String,
    project: &'static str,
    entry: &'static str,
    /// Whether the SSN is known in part only.
    last_four: bool,
}

/// A row from pairs.
pub(crate) fn row(pairs: &[(&str, &str)]) -> HmisRow {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The same with the metadata that every record carries.
pub(crate) fn record(pairs: &[(&str, &str)], at: &str) -> HmisRow {
    let mut row = row(pairs);
    row.extend(self::row(&[
        ("DateCreated", at),
        ("DateUpdated", at),
        ("UserID", WORKER),
    ]));
    row
}

/// Everything, with the filler households given.
pub(crate) fn holdings(neighbours: &[Family]) -> Holdings {
    let mut held = Holdings::default();
    organisations(&mut held);
    projects(&mut held);
    let family = family::demo_family();
    add_stay(
        &mut held,
        &Stay {
            family: &family,
            personal_id: 48_211,
            household: family::HMIS_HOUSEHOLD.to_owned(),
            project: family::HMIS_ENTRY_PROJECT,
            entry: "2026-01-20",
            last_four: true,
        },
    );
    facts_of_the_mother(&mut held);
    for (number, neighbour) in neighbours.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(0);
        add_stay(
            &mut held,
            &Stay {
                family: neighbour,
                personal_id: 50_001 + number * 10,
                household: format!("{}", 9_800 + number),
                project: if number % 2 == 0 {
                    family::HMIS_ENTRY_PROJECT
                } else {
                    family::HMIS_SHELTER_PROJECT
                },
                entry: "2025-11-14",
                last_four: number % 2 == 0,
            },
        );
    }
    add_stay(
        &mut held,
        &Stay {
            family: &family::sheltered_family(),
            personal_id: 77_701,
            household: "9777".to_owned(),
            project: VICTIM_PROJECT,
            entry: "2026-01-05",
            last_four: false,
        },
    );
    held
}

const CREATED: &str = "2025-10-01 09:00:00";

fn put(held: &mut Holdings, file: &str, pairs: &[(&str, &str)]) {
    let key = pairs.first().map_or("", |(_, key)| *key);
    held.put(file, key, record(pairs, CREATED));
}

fn organisations(held: &mut Holdings) {
    for (id, name, victim) in [
        ("O-1", "Example Housing Partnership", "0"),
        ("O-9", "Harbor Example House", "1"),
    ] {
        let pairs = [
            ("OrganizationID", id),
            ("OrganizationName", name),
            ("VictimServiceProvider", victim),
        ];
        put(held, "Organization", &pairs);
    }
    for (id, first, last) in [
        (WORKER, "Harper", "Testworker"),
        ("U-2", "Interface", "Account"),
    ] {
        let user = row(&[
            ("UserID", id),
            ("UserFirstName", first),
            ("UserLastName", last),
            ("DateCreated", CREATED),
            ("DateUpdated", CREATED),
        ]);
        held.put("User", id, user);
    }
}

fn projects(held: &mut Holdings) {
    let started = "2024-07-01";
    for (id, organization, name, kind, housing, participation) in [
        (
            family::HMIS_ENTRY_PROJECT,
            "O-1",
            "Demo County Coordinated Entry",
            "14",
            "",
            "1",
        ),
        (
            family::HMIS_SHELTER_PROJECT,
            "O-1",
            "Example Family Shelter",
            "0",
            "1",
            "1",
        ),
        (
            VICTIM_PROJECT,
            "O-9",
            "Harbor Example Shelter",
            "0",
            "1",
            "2",
        ),
    ] {
        put(
            held,
            "Project",
            &[
                ("ProjectID", id),
                ("OrganizationID", organization),
                ("ProjectName", name),
                ("OperatingStartDate", started),
                ("ContinuumProject", "1"),
                ("ProjectType", kind),
                ("HousingType", housing),
                ("TargetPopulation", "4"),
            ],
        );
        put(
            held,
            "ProjectCoC",
            &[
                ("ProjectCoCID", &format!("PC-{id}")),
                ("ProjectID", id),
                ("CoCCode", COC),
                ("Geocode", "069115"),
                ("City", CITY),
                ("State", "CA"),
                ("ZIP", ZIP),
                ("GeographyType", "3"),
            ],
        );
        put(
            held,
            "HMISParticipation",
            &[
                ("HMISParticipationID", &format!("HP-{id}")),
                ("ProjectID", id),
                ("HMISParticipationType", participation),
                ("HMISParticipationStatusStartDate", started),
            ],
        );
        put(
            held,
            "Funder",
            &[
                ("FunderID", &format!("F-{id}")),
                ("ProjectID", id),
                ("Funder", "46"),
                ("OtherFunder", "Demo County General Fund"),
                ("StartDate", started),
            ],
        );
        let is_entry = id == family::HMIS_ENTRY_PROJECT;
        let access = if is_entry { "1" } else { "0" };
        put(
            held,
            "CEParticipation",
            &[
                ("CEParticipationID", &format!("CE-{id}")),
                ("ProjectID", id),
                ("AccessPoint", access),
                ("CrisisAssessment", access),
                ("HousingAssessment", access),
                ("ReceivesReferrals", if is_entry { "0" } else { "1" }),
                ("CEParticipationStatusStartDate", started),
            ],
        );
    }
    put(
        held,
        "Inventory",
        &[
            ("InventoryID", "I-1"),
            ("ProjectID", family::HMIS_SHELTER_PROJECT),
            ("CoCCode", COC),
            ("HouseholdType", "3"),
            ("Availability", "1"),
            ("UnitInventory", "12"),
            ("BedInventory", "40"),
            ("ESBedType", "1"),
            ("InventoryStartDate", started),
        ],
    );
}

fn add_stay(held: &mut Holdings, stay: &Stay<'_>) {
    let at = format!("{} 10:30:00", stay.entry);
    for (place, person) in stay.family.members.iter().enumerate() {
        let place = u32::try_from(place).unwrap_or(0);
        let id = (stay.personal_id + place).to_string();
        held.put("Client", &id, client(&id, person, stay.last_four, &at));
        let project = stay.project.trim_start_matches("P-");
        let enrollment = format!("E-{id}-{project}");
        let row = enrollment_row(
            &enrollment,
            &id,
            stay.project,
            stay.entry,
            &stay.household,
            place > 0,
            &at,
        );
        held.put("Enrollment", &enrollment, row);
    }
}

fn client(id: &str, person: &Person, last_four: bool, at: &str) -> HmisRow {
    let partial = format!("xxxxx{}", person.ssn.get(5..).unwrap_or(""));
    record(
        &[
            ("PersonalID", id),
            ("FirstName", &person.first_name),
            ("LastName", &person.last_name),
            ("NameDataQuality", "1"),
            ("SSN", if last_four { &partial } else { &person.ssn }),
            ("SSNDataQuality", if last_four { "2" } else { "1" }),
            ("DOB", &person.birth_date.to_string()),
            ("DOBDataQuality", "1"),
            ("Sex", if person.sex == 'M' { "1" } else { "0" }),
            ("AmIndAKNative", "0"),
            ("Asian", "0"),
            ("BlackAfAmerican", "0"),
            ("HispanicLatinao", "1"),
            ("MidEastNAfrican", "0"),
            ("NativeHIPacific", "0"),
            ("White", "0"),
            ("VeteranStatus", if person.is_child { "99" } else { "0" }),
        ],
        at,
    )
}

/// An open stay of one person.
pub(crate) fn enrollment_row(
    id: &str,
    personal_id: &str,
    project: &str,
    entry: &str,
    household: &str,
    is_child: bool,
    at: &str,
) -> HmisRow {
    record(
        &[
            ("EnrollmentID", id),
            ("PersonalID", personal_id),
            ("ProjectID", project),
            ("EntryDate", entry),
            ("HouseholdID", household),
            ("RelationshipToHoH", if is_child { "2" } else { "1" }),
            ("EnrollmentCoC", if is_child { "" } else { COC }),
            ("LivingSituation", if is_child { "" } else { "336" }),
            ("DisablingCondition", "99"),
        ],
        at,
    )
}

/// One row in each file of dated facts, so that a reader meets them all.
fn facts_of_the_mother(held: &mut Holdings) {
    let stay = [
        ("EnrollmentID", family::HMIS_ENROLLMENT),
        ("PersonalID", family::HMIS_MARISOL),
    ];
    let mut fact = |file: &str, key: (&str, &str), rest: &[(&str, &str)]| {
        let mut pairs = vec![key];
        pairs.extend(stay);
        pairs.extend(rest);
        held.put(file, key.1, record(&pairs, "2026-01-20 11:00:00"));
    };
    let entry = [
        ("InformationDate", "2026-01-20"),
        ("DataCollectionStage", "1"),
    ];
    let with = |rest: &[(&'static str, &'static str)]| [&entry[..], rest].concat();
    fact(
        "IncomeBenefits",
        ("IncomeBenefitsID", "IB-1"),
        &with(&[
            ("IncomeFromAnySource", "1"),
            ("TotalMonthlyIncome", "925.00"),
            ("TANF", "1"),
            ("TANFAmount", "925.00"),
            ("BenefitsFromAnySource", "1"),
            ("SNAP", "1"),
        ]),
    );
    fact(
        "HealthAndDV",
        ("HealthAndDVID", "HD-1"),
        &with(&[("DomesticViolenceSurvivor", "0")]),
    );
    fact(
        "EmploymentEducation",
        ("EmploymentEducationID", "EE-1"),
        &with(&[("Employed", "0")]),
    );
    fact(
        "Disabilities",
        ("DisabilitiesID", "D-1"),
        &with(&[("DisabilityType", "5"), ("DisabilityResponse", "0")]),
    );
    fact(
        "CurrentLivingSituation",
        ("CurrentLivingSitID", "CL-1"),
        &[
            ("InformationDate", "2026-01-20"),
            ("CurrentLivingSituation", "336"),
        ],
    );
    fact(
        "Assessment",
        ("AssessmentID", "A-1"),
        &[
            ("AssessmentDate", "2026-01-21"),
            ("AssessmentLocation", "county office"),
            ("AssessmentType", "3"),
            ("AssessmentLevel", "2"),
            ("PrioritizationStatus", "1"),
        ],
    );
    fact(
        "AssessmentQuestions",
        ("AssessmentQuestionID", "AQ-1"),
        &[
            ("AssessmentID", "A-1"),
            (
                "AssessmentQuestion",
                "nights without a bed in the last month",
            ),
            ("AssessmentAnswer", "9"),
        ],
    );
    fact(
        "AssessmentResults",
        ("AssessmentResultID", "AR-1"),
        &[
            ("AssessmentID", "A-1"),
            ("AssessmentResultType", "local score"),
            ("AssessmentResult", "7"),
        ],
    );
    fact(
        "Event",
        ("EventID", "EV-1"),
        &[("EventDate", "2026-01-21"), ("Event", "4")],
    );
}
