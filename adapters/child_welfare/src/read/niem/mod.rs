//! The two NIEM 6.0 messages: `lk:CoordinatedReferralMessage` and `lk:CasePlanUpdateMessage`.

mod around;
mod check;
mod limits;
mod person;
mod plan;
mod profile;
mod referral;
mod scope;
mod told;
mod tree;
mod value;

use std::io::Read;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Loss, Place, Severity};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};
use tandem_mappings::model::id::{SourceCaseId, SourceEventId};
use tandem_mappings::tables::TableError;

use self::check::place;
use self::limits::MAX_BYTES;
use self::told::{Known, Message, number};
use self::tree::{Element, TreeReason};
use self::value::moment;
use crate::config::Config;
use crate::namespace::NIEM_VERSION;
use crate::tables::Tables;

/// The root elements that are read.
const ROOTS: [&str; 2] = ["CoordinatedReferralMessage", "CasePlanUpdateMessage"];
/// The longest message id, in bytes, so that ids of its events stay within the gateway's limit.
const MAX_MESSAGE_ID: usize = 160;
/// The longest security label that is taken from a header.
const MAX_LABEL: usize = 16;

/// Where a message comes from, and what is lost when it can't be read.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    file: &'a str,
    loss: Loss,
}

impl Source<'_> {
    /// The message as a whole can't be used.
    fn refuse(&self, code: &str, place: Place, expected: &str, sink: &mut dyn Sink) {
        sink.deviation(Deviation::of(
            Severity::Error,
            self.loss,
            code,
            place,
            expected,
        ));
    }
}

/// Reads the two NIEM messages.
#[derive(Debug, Clone)]
pub struct NiemReader {
    tables: Tables,
    config: Config,
}

impl NiemReader {
    /// A reader for a deployment.
    ///
    /// # Errors
    /// When an embedded table is wrong.
    pub fn new(config: Config) -> Result<Self, TableError> {
        Ok(Self {
            tables: Tables::embedded()?,
            config,
        })
    }

    fn stream(
        &self,
        source: Source<'_>,
        reader: &mut dyn Read,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let mut bytes = Vec::new();
        // One byte more than allowed, so that a message at the limit still passes.
        let limit = MAX_BYTES as u64 + 1;
        if reader.take(limit).read_to_end(&mut bytes).is_err() {
            let place = Place::file(source.file);
            source.refuse("unreadable", place, "a stream that can be read", sink);
            return Ok(());
        }
        match tree::parse(&bytes, &self.config.linkages_namespace) {
            Ok(root) => self.message(&root, source, context, sink),
            Err(error) => {
                let place = Place::line(source.file, error.line);
                let expected = format!("a NIEM message: {}", error.reason);
                source.refuse(code(error.reason), place, &expected, sink);
                Ok(())
            }
        }
    }

    fn message(
        &self,
        root: &Element,
        source: Source<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        if let Some(older) = check::of_other_release(root) {
            let expected = format!("the namespaces of NIEM {NIEM_VERSION}, not of another release");
            let place = Place::line(source.file, older.line);
            source.refuse("niem-version-unsupported", place, &expected, sink);
            return Ok(());
        }
        let is_known = ROOTS.contains(&root.local.as_str());
        if !is_known || root.namespace != crate::namespace::Namespace::Linkages {
            let expected =
                "CoordinatedReferralMessage or CasePlanUpdateMessage in the agreed namespace";
            let place = Place::line(source.file, root.line);
            source.refuse("message-unknown", place, expected, sink);
            return Ok(());
        }
        sink.record(&root.local);
        sink.version(&format!("NIEM {NIEM_VERSION}"));
        let ids = check::check(root, source.file, &self.tables, sink);
        profile::check(root, source.file, &self.tables, sink);
        let Some(message) = self.header(root, source, ids, context, sink) else {
            return Ok(());
        };
        person::tell(&message, sink)?;
        referral::tell(&message, sink)?;
        plan::tell(&message, sink)?;
        around::tell(&message, sink)
    }

    fn header<'a>(
        &'a self,
        root: &'a Element,
        source: Source<'a>,
        ids: check::Ids<'a>,
        context: &'a ReadContext,
        sink: &mut dyn Sink,
    ) -> Option<Message<'a>> {
        let id = root.text_at("nc:DocumentIdentification/nc:IdentificationID");
        let is_id = |id: &&str| id.len() <= MAX_MESSAGE_ID && SourceEventId::new(*id).is_ok();
        let Some(id) = id.filter(is_id) else {
            let expected = "nc:DocumentIdentification, the message id";
            let place = place(source.file, root);
            source.refuse("required-element-missing", place, expected, sink);
            return None;
        };
        let file = source.file;
        let created = moment(root.at("nc:DocumentCreationDate"), &context.zone);
        for (name, is_missing) in [
            ("nc:DocumentCreationDate", created.is_none()),
            (
                "lk:DisclosureBasis",
                root.text_at("lk:DisclosureBasis").is_none(),
            ),
        ] {
            if is_missing {
                let place = Place::line(file, root.line).field(name);
                sink.deviation(Deviation::value_error(
                    "required-element-missing",
                    place,
                    name,
                ));
            }
        }
        let case = root.text_at("hs:ChildWelfareCase/hs:ChildWelfareAgencyCaseID");
        Some(Message {
            root,
            file,
            ids,
            tables: &self.tables,
            context,
            id: id.to_owned(),
            created: created.unwrap_or(context.received_at),
            labels: labels(root),
            people: people(root, file, context, sink),
            case: case.and_then(|case| SourceCaseId::new(number(case)).ok()),
        })
    }
}

fn people<'a>(
    root: &'a Element,
    file: &str,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Vec<Known<'a>> {
    let mut people = Vec::new();
    for (name, is_child) in [("hs:Child", true), ("hs:Parent", false)] {
        for element in root.all(name).filter(|element| element.reference.is_none()) {
            match person::own_id(element, context) {
                Some(id) => people.push(Known {
                    element,
                    id,
                    is_child,
                }),
                None => {
                    let expected = "a local id, or a name";
                    let place = place(file, element);
                    sink.deviation(Deviation::record_error("person-unnamed", place, expected));
                }
            }
        }
    }
    people
}

/// Security labels of the header; words that are no code stay with the original.
fn labels(root: &Element) -> Vec<String> {
    let texts = root
        .all("nc:DocumentSensitivityText")
        .map(|element| element.text.as_str());
    let codes = texts.filter(|text| {
        (1..=MAX_LABEL).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase())
    });
    codes.map(str::to_owned).collect()
}

fn code(reason: TreeReason) -> &'static str {
    match reason {
        TreeReason::Encoding => "not-utf-8",
        TreeReason::Size | TreeReason::Elements | TreeReason::Attributes => "xml-too-large",
        TreeReason::Depth => "xml-too-deep",
        TreeReason::DocumentType | TreeReason::Entity => "xml-entity-refused",
        TreeReason::Empty => "empty",
        TreeReason::Malformed | TreeReason::Prefix => "xml-not-well-formed",
    }
}

impl FormatReader for NiemReader {
    fn format(&self) -> Format {
        Format::Niem
    }

    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        match input {
            Input::Stream { name, reader } => {
                let source = Source {
                    file: name,
                    loss: Loss::Input,
                };
                self.stream(source, reader, context, sink)
            }
            // One bad message of several costs that message alone.
            Input::Package {
                name: package_name,
                package,
            } => {
                let mut names = package.names();
                names.retain(|name| !name.ends_with('/'));
                if names.is_empty() {
                    let place = Place::file(package_name);
                    let expected = "a NIEM message";
                    sink.deviation(Deviation::input_error("no-messages", place, expected));
                }
                for name in names {
                    match package.open(&name) {
                        Ok(mut reader) => {
                            let source = Source {
                                file: &name,
                                loss: Loss::Record,
                            };
                            self.stream(source, &mut reader, context, sink)?;
                        }
                        Err(_) => {
                            let place = Place::file(&name);
                            let expected = "an entry that can be unpacked";
                            let error =
                                Deviation::record_error("package-unreadable", place, expected);
                            sink.deviation(error);
                        }
                    }
                }
                Ok(())
            }
        }
    }
}
