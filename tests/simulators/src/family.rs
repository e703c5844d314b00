//! The demo family and the names by which each system knows it.

use jiff::civil::date;

use crate::person::{Family, Person};

/// CalWORKs: seven-character case number of the family.
pub const CALWORKS_CASE: &str = "1D3M0F1";
/// CalWORKs: Client Index Number of the mother.
pub const CIN_MARISOL: &str = "91234567A";
/// CalWORKs: Client Index Number of the daughter.
pub const CIN_ANA: &str = "91234568B";
/// CalWORKs: Client Index Number of the son; child welfare does not know it.
pub const CIN_LEO: &str = "91234569C";
/// CalWORKs: welfare-to-work worker.
pub const CALWORKS_WORKER: &str = "Tessa Samplework";
/// CalWORKs: her telephone.
pub const CALWORKS_WORKER_PHONE: &str = "5305550111";

/// Child welfare: surname of the children there.
pub const CWS_SURNAME: &str = "Demofield-Rivas";
/// Child welfare: the worker of the family.
pub const CWS_WORKER: &str = "Casey Exampleworth";

/// Child welfare: client key of the mother.
pub const CWS_MARISOL: &str = "34TmMu60X5";
/// Child welfare: client key of the daughter.
pub const CWS_ANA: &str = "68wceC60X5";
/// Child welfare: client key of the son.
pub const CWS_LEO: &str = "9DPSvU60X5";
/// Child welfare: key of the daughter's case.
pub const CWS_CASE_ANA: &str = "3KLciEA0X5";
/// Child welfare: key of the son's case.
pub const CWS_CASE_LEO: &str = "3d7hgek0X5";
/// Child welfare: the daughter's case in the 19-digit form of the screens.
pub const CWS_CASE_ANA_SCREEN: &str = "0189-0428-9292-6002051";
/// Child welfare: the son's case in the 19-digit form of the screens.
pub const CWS_CASE_LEO_SCREEN: &str = "0206-2437-3363-0002051";

/// Housing: personal id of the mother.
pub const HMIS_MARISOL: &str = "48211";
/// Housing: personal id of the daughter.
pub const HMIS_ANA: &str = "48212";
/// Housing: personal id of the son.
pub const HMIS_LEO: &str = "48213";
/// Housing: household of the three in the coordinated entry project.
pub const HMIS_HOUSEHOLD: &str = "9920";
/// Housing: the mother's enrollment in the coordinated entry project.
pub const HMIS_ENROLLMENT: &str = "E-48211-CE";
/// Housing: the coordinated entry project.
pub const HMIS_ENTRY_PROJECT: &str = "P-CE";
/// Housing: the emergency shelter project that a referral asks for.
pub const HMIS_SHELTER_PROJECT: &str = "P-ES";

/// Health: Patient id of the mother at the clinic.
pub const CLINIC_PATIENT: &str = "pat-marisol";
/// Health: Patient id of the mother at the behavioural health server.
pub const BH_PATIENT: &str = "bhp-2207";

/// The family as CalWORKs knows it: mother and two children.
#[must_use]
pub fn demo_family() -> Family {
    let member = |first_name: &str, birth_date, sex, ssn: &str, cin: &str, is_child| Person {
        first_name: first_name.to_owned(),
        last_name: "Demofield".to_owned(),
        birth_date,
        sex,
        ssn: ssn.to_owned(),
        cin: cin.to_owned(),
        is_child,
    };
    Family {
        serial: CALWORKS_CASE.to_owned(),
        members: vec![
            member(
                "Marisol",
                date(1994, 5, 17),
                'F',
                "900123456",
                CIN_MARISOL,
                false,
            ),
            member("Ana", date(2018, 3, 2), 'F', "900123457", CIN_ANA, true),
            member("Leo", date(2021, 9, 14), 'M', "900123458", CIN_LEO, true),
        ],
        house: "12".to_owned(),
        street: "Invented Lane".to_owned(),
        phone: "5305550142".to_owned(),
    }
}

/// A child whose child welfare record is sealed; CalWORKs knows the same child openly.
#[must_use]
pub fn sealed_family() -> Family {
    guarded("1S3A1E1", "Testahidden", "Orlanda", (2016, 3), "9")
}

/// A child whose child welfare record is sensitive; CalWORKs knows the same child openly.
#[must_use]
pub fn sensitive_family() -> Family {
    guarded("1S3N5E1", "Examplequiet", "Quillon", (2013, 58), "31")
}

/// A family of a victim service provider; CalWORKs knows the same family openly.
#[must_use]
pub fn sheltered_family() -> Family {
    guarded("1V5P0F1", "Testasafe", "Wrenna", (2011, 94), "77")
}

/// Two people with one name of their own, exactly alike wherever they occur, so that a gateway
/// which forgot a gate would be sure to link them.
fn guarded(serial: &str, surname: &str, child: &str, born: (i16, u32), house: &str) -> Family {
    // Far apart in dates and numbers, so that no two of these families look alike.
    let (year, number) = born;
    let member = |first: &str, birth_date, step: u32, letter: char, is_child| Person {
        first_name: first.to_owned(),
        last_name: surname.to_owned(),
        birth_date,
        sex: 'F',
        ssn: format!("900{:06}", 100_357 + number * 7_919 + step * 50_413),
        cin: format!("97{:06}{letter}", 200_173 + number * 7_331 + step * 40_127),
        is_child,
    };
    let day = 3 + i8::try_from(number % 20).unwrap_or(0);
    let parent_born = date(year - 26, 11 - day % 5, day);
    let child_born = date(year, 2 + day % 7, 28 - day);
    Family {
        serial: serial.to_owned(),
        members: vec![
            member(&format!("{child}a"), parent_born, 1, 'D', false),
            member(child, child_born, 2, 'E', true),
        ],
        house: house.to_owned(),
        street: "Nowhere Court".to_owned(),
        phone: format!("53055501{house:0>2}"),
    }
}
