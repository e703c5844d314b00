//! Organisations, workers and people.

use tandem_adapter_port::outbound::{OutboundPerson, Party};
use tandem_mappings::model::person::{Address, Sex};
use tandem_mappings::model::worker::WorkerContact;

use super::time::partial;
use super::xml::{Node, optional};

/// Category of a client's id in CWS/CMS.
pub(crate) const CLIENT_ID: &str = "cws-cms-client";
/// Category of a statewide Client Index Number.
pub(crate) const CIN: &str = "cin";

/// An `nc:IdentificationType`.
pub(crate) fn identification(name: &'static str, id: impl AsRef<str>) -> Node {
    Node::new(name).child(Node::text("nc:IdentificationID", id))
}

/// An `nc:IdentificationType` with a category.
pub(crate) fn categorised(name: &'static str, id: impl AsRef<str>, category: &str) -> Node {
    identification(name, id).child(Node::text("nc:IdentificationCategoryText", category))
}

/// An entity that is an organisation.
pub(crate) fn entity(name: &'static str, party: &Party) -> Node {
    Node::new(name).child(
        Node::new("nc:EntityOrganization")
            .child(identification(
                "nc:OrganizationIdentification",
                party.id.as_str(),
            ))
            .with(optional("nc:OrganizationName", Some(&party.name))),
    )
}

/// How a worker can be reached.
fn contact(worker: &WorkerContact) -> Option<Node> {
    let telephone = worker.phone.as_ref().map(|phone| telephone(phone));
    Node::new("nc:PersonContactInformation")
        .with(optional("nc:ContactEmailID", worker.email.as_ref()))
        .with(telephone)
        .unless_empty()
}

fn telephone(number: &str) -> Node {
    Node::new("nc:ContactTelephoneNumber").child(
        Node::new("nc:FullTelephoneNumber").child(Node::text("nc:TelephoneNumberFullID", number)),
    )
}

fn full_name(worker: &WorkerContact) -> Option<Node> {
    let name = optional("nc:PersonFullName", worker.name.as_ref())?;
    Some(Node::new("nc:PersonName").child(name))
}

/// An entity that is a worker; `None` when neither name nor contact may be told.
pub(crate) fn worker_entity(name: &'static str, worker: &WorkerContact) -> Option<Node> {
    let person = Node::new("nc:EntityPerson")
        .with(full_name(worker))
        .with(contact(worker));
    Some(Node::new(name).child(person.unless_empty()?))
}

/// `hs:Caseworker`, saying for whom the worker works, so that nobody takes the partner's worker for
/// the recipient's own.
pub(crate) fn caseworker(worker: &WorkerContact, of: Option<&str>) -> Option<Node> {
    let known = Node::new("hs:Caseworker")
        .with(full_name(worker))
        .with(contact(worker));
    let category = worker.role.as_deref().or(of);
    Some(
        known
            .unless_empty()?
            .with(optional("hs:CaseworkerCategoryText", category)),
    )
}

/// Whether anything is left by which the recipient knows whom a message means. Somebody of whom
/// nothing is left stays out, since an element without a name or a number is nobody's.
pub(crate) fn is_named(person: &OutboundPerson) -> bool {
    person.person.is_some() || person.cin.is_some() || person_name(person).is_some()
}

/// A person under a reference id; children as `hs:Child`, everybody else as `hs:Parent` with the
/// role in words where it is not that of a parent.
pub(crate) fn person(person: &OutboundPerson, id: &str) -> Node {
    let name = if is_child(person) {
        "hs:Child"
    } else {
        "hs:Parent"
    };
    let role = (!["child", "parent"].contains(&person.role.as_str())).then_some(&person.role);
    let own = person
        .person
        .as_ref()
        .map(|own| categorised("nc:PersonOtherIdentification", own.as_str(), CLIENT_ID));
    let cin = person
        .cin
        .as_ref()
        .map(|cin| categorised("nc:PersonOtherIdentification", cin, CIN));
    let contact = person
        .phone
        .as_ref()
        .map(|phone| Node::new("nc:PersonContactInformation").child(telephone(phone)));
    Node::new(name)
        .id(id)
        .with(
            person
                .birth
                .map(|birth| partial("nc:PersonBirthDate", birth)),
        )
        .with(optional("nc:PersonDescriptionText", role))
        .with(person_name(person))
        .with(own)
        .with(cin)
        .with(person.address.as_ref().and_then(address))
        .with(
            person
                .sex
                .map(|sex| Node::text("j:PersonSexCode", sex_code(sex))),
        )
        .with(contact)
}

/// Whether a person is told as a child.
pub(crate) fn is_child(person: &OutboundPerson) -> bool {
    person.role == "child"
}

fn person_name(person: &OutboundPerson) -> Option<Node> {
    Node::new("nc:PersonName")
        .with(optional("nc:PersonGivenName", person.given.as_ref()))
        .with(optional("nc:PersonMiddleName", person.middle.as_ref()))
        .with(optional("nc:PersonSurName", person.family.as_ref()))
        .unless_empty()
}

/// NIEM `j:PersonSexCodeType`. X is the nearest to "recorded as neither".
fn sex_code(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "F",
        Sex::Male => "M",
        Sex::Other => "X",
        _ => "U",
    }
}

fn address(address: &Address) -> Option<Node> {
    let street = optional("nc:StreetFullText", Some(&address.street));
    let state = optional("nc:StateName", Some(&address.state));
    Node::new("nc:PersonResidenceAddress")
        .with(street.map(|street| Node::new("nc:AddressStreet").child(street)))
        .with(optional("nc:AddressCityName", Some(&address.city)))
        .with(state.map(|state| Node::new("nc:AddressState").child(state)))
        .with(optional("nc:AddressPostalCode", Some(&address.zip)))
        .unless_empty()
}
