//! The canonical domains of service and need. Adapters translate at the edge; the original code travels along.

use super::coding::codes;

codes! {
    /// A canonical domain: what a service, goal or activity is about.
    Domain {
        /// Food and nutrition.
        Food = "food",
        /// Stable, affordable housing.
        Housing = "housing",
        /// Shelter / homelessness crisis.
        Shelter = "shelter",
        /// Utilities.
        Utilities = "utilities",
        /// Clothing, furniture, baby and household goods.
        MaterialGoods = "material-goods",
        /// Transportation / mobility.
        Transportation = "transportation",
        /// Internet, phone and device access.
        DigitalAccess = "digital-access",
        /// Child care.
        ChildCare = "child-care",
        /// Early learning and children's schooling.
        EarlyLearningSchool = "early-learning-school",
        /// Adult education and credentials.
        AdultEducation = "adult-education",
        /// Employment and training.
        Employment = "employment",
        /// Cash income and public benefits.
        IncomeBenefits = "income-benefits",
        /// Money management, debt and credit.
        FinancialStability = "financial-stability",
        /// Civil legal help.
        Legal = "legal",
        /// Justice involvement and re-entry.
        JusticeReentry = "justice-reentry",
        /// Physical health care.
        HealthCare = "health-care",
        /// Dental care.
        DentalCare = "dental-care",
        /// Health coverage and medical cost.
        HealthCoverage = "health-coverage",
        /// Mental health treatment.
        MentalHealth = "mental-health",
        /// Alcohol and other drug treatment, recovery.
        SubstanceUse = "substance-use",
        /// Personal and child safety, violence.
        Safety = "safety",
        /// Parenting and family relations.
        ParentingFamily = "parenting-family",
        /// Social and community connection.
        SocialConnection = "social-connection",
        /// Daily living and life skills.
        LifeSkills = "life-skills",
        /// Disability, aging and in-home support.
        DisabilitySupport = "disability-support",
        /// Case management and system navigation.
        CareNavigation = "care-navigation",
        /// Other concrete service.
        Other = "other",
    }
}
