//! The elements that a law asks of a document before it may be relied on.

use serde::{Deserialize, Serialize};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Directive, Expiry, General, Method, Statement};
use tandem_mappings::model::purpose::Purpose;

use crate::GATEWAY;
use crate::bundle::ElementLists;

/// An element of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Element {
    /// Whom it is about.
    Subject,
    /// Who may tell.
    Disclosers,
    /// What may be told.
    Categories,
    /// Who may be told.
    Recipients,
    /// For what.
    Purposes,
    /// Who may tell; a general word for whoever holds data will do.
    DisclosersOrAny,
    /// What may be told; "everything" will do.
    CategoriesOrAll,
    /// For what; that the person asks for it will do (45 CFR 164.508(c)(1)(iv)).
    PurposesOrAny,
    /// The name of the exchange, when it passes data on to participants whom the form does not name (42 CFR
    /// 2.31(a)(4)(ii)(B)).
    Intermediary,
    /// An end by date, event or condition.
    Expiry,
    /// An end by date or event.
    ExpiryDateOrEvent,
    /// An end; "none" only for treatment, payment and operations (42 CFR 2.31(a)(7)).
    ExpiryOrTreatment,
    /// The statement on revoking.
    RightToRevoke,
    /// The statement that services do not depend on signing.
    NotConditioned,
    /// The statement on redisclosure.
    Redisclosure,
    /// The statement on the signer's copy.
    CopyOffered,
    /// A signature on paper or electronic.
    Signature,
    /// A signature, or words before a witness.
    Given,
    /// The date of the signature.
    SignatureDate,
}

impl Element {
    /// Every element.
    pub(crate) const ALL: [Self; 19] = [
        Self::Subject,
        Self::Disclosers,
        Self::Categories,
        Self::Recipients,
        Self::Purposes,
        Self::DisclosersOrAny,
        Self::CategoriesOrAll,
        Self::PurposesOrAny,
        Self::Intermediary,
        Self::Expiry,
        Self::ExpiryDateOrEvent,
        Self::ExpiryOrTreatment,
        Self::RightToRevoke,
        Self::NotConditioned,
        Self::Redisclosure,
        Self::CopyOffered,
        Self::Signature,
        Self::Given,
        Self::SignatureDate,
    ];

    /// The name in tables and answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Disclosers | Self::DisclosersOrAny => "disclosers",
            Self::Categories | Self::CategoriesOrAll => "categories",
            Self::Recipients => "recipients",
            Self::Purposes | Self::PurposesOrAny => "purposes",
            Self::Intermediary => "intermediary",
            Self::Expiry => "expiry",
            Self::ExpiryDateOrEvent => "expiry_date_or_event",
            Self::ExpiryOrTreatment => "expiry_or_treatment",
            Self::RightToRevoke => "right_to_revoke",
            Self::NotConditioned => "not_conditioned",
            Self::Redisclosure => "redisclosure",
            Self::CopyOffered => "copy_offered",
            Self::Signature => "signature",
            Self::Given => "given",
            Self::SignatureDate => "signature_date",
        }
    }

    /// Whether a directive holds the element.
    pub(crate) fn is_held_by(self, directive: &Directive, lists: &ElementLists) -> bool {
        let states = |statement| states(directive, lists, statement);
        let says = |part| directive.general_words.contains(&part);
        let signed = directive.method.is_some_and(|method| method.is_signed());
        match self {
            Self::Subject => !directive.subject.as_str().is_empty(),
            Self::Disclosers => !directive.disclosers.is_empty() && !says(General::Disclosers),
            Self::Categories => !directive.categories.is_empty() && !says(General::Categories),
            Self::Recipients => !directive.recipients.is_empty(),
            Self::Purposes => !directive.purposes.is_empty() && !says(General::Purposes),
            Self::DisclosersOrAny => !directive.disclosers.is_empty(),
            Self::CategoriesOrAll => !directive.categories.is_empty(),
            Self::PurposesOrAny => !directive.purposes.is_empty(),
            Self::Intermediary => {
                directive.recipients.all_participants_at_date.is_none()
                    || directive.recipients.named.contains(GATEWAY)
                    || is_for_treatment_alone(directive)
            }
            Self::Expiry => matches!(&directive.expiry, Some(end) if *end != Expiry::None),
            Self::ExpiryDateOrEvent => {
                matches!(
                    directive.expiry,
                    Some(Expiry::Date(_) | Expiry::Event { .. })
                )
            }
            Self::ExpiryOrTreatment => match &directive.expiry {
                Some(Expiry::None) => is_for_treatment_alone(directive),
                other => other.is_some(),
            },
            Self::RightToRevoke => states(Statement::RightToRevoke),
            Self::NotConditioned => states(Statement::NotConditioned),
            Self::Redisclosure => states(Statement::Redisclosure),
            Self::CopyOffered => states(Statement::CopyOffered),
            Self::Signature => signed,
            Self::Given => signed || directive.method == Some(Method::VerbalWithWitness),
            Self::SignatureDate => {
                directive.captured_at.is_some() || directive.valid_from.is_some()
            }
        }
    }
}

/// What a document says: as recorded with it, else as the words of its form say.
fn states(directive: &Directive, lists: &ElementLists, statement: Statement) -> bool {
    if let Some(statements) = &directive.statements {
        return statements.contains(&statement);
    }
    let Some(template) = &directive.form_template else {
        return false;
    };
    let known = lists
        .forms
        .iter()
        .find(|form| form.id == template.id && form.version == template.version);
    known.map_or(lists.trust_unlisted_forms, |form| {
        form.statements.contains(&statement)
    })
}

fn is_for_treatment_alone(directive: &Directive) -> bool {
    let tpo = [
        Purpose::Treat,
        Purpose::HealthcarePayment,
        Purpose::HealthcareOperations,
    ];
    !directive.categories.contains(&Category::SudCounselingNotes)
        && directive
            .purposes
            .iter()
            .all(|purpose| tpo.contains(purpose))
}
