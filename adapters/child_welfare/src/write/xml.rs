//! The smallest builder that the messages need: elements in the order in which the schema wants them.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::namespace::Namespace;

/// An element to be written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Node {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Node>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Node({}, {} children)",
            self.name,
            self.children.len()
        )
    }
}

impl Node {
    /// An element with a prefixed name.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            text: String::new(),
            children: Vec::new(),
        }
    }

    /// An element that holds only text. Characters that XML cannot carry are dropped.
    pub(crate) fn text(name: &'static str, text: impl AsRef<str>) -> Self {
        let mut node = Self::new(name);
        node.text = text
            .as_ref()
            .chars()
            .filter(|one| is_xml_character(*one))
            .collect();
        node
    }

    /// The same element with `structures:id`.
    pub(crate) fn id(mut self, id: impl Into<String>) -> Self {
        self.attributes.push(("structures:id", id.into()));
        self
    }

    /// The same element with `structures:ref`.
    pub(crate) fn reference(mut self, id: impl Into<String>) -> Self {
        self.attributes.push(("structures:ref", id.into()));
        self
    }

    /// The same element with further children: a node, an option of one, or a list of them.
    pub(crate) fn with(mut self, children: impl IntoIterator<Item = Node>) -> Self {
        self.children.extend(children);
        self
    }

    /// The same element with one more child.
    pub(crate) fn child(mut self, child: Node) -> Self {
        self.children.push(child);
        self
    }

    /// The element, unless it has neither text nor children nor attributes.
    pub(crate) fn unless_empty(self) -> Option<Self> {
        let empty = self.text.is_empty() && self.children.is_empty() && self.attributes.is_empty();
        (!empty).then_some(self)
    }
}

/// An element with text, when there is a text that is not blank.
pub(crate) fn optional<T: AsRef<str>>(name: &'static str, text: Option<T>) -> Option<Node> {
    let node = Node::text(name, text?.as_ref().trim());
    (!node.text.trim().is_empty()).then_some(node)
}

/// XML 1.0, production 2 (Char).
fn is_xml_character(one: char) -> bool {
    matches!(one, '\u{9}' | '\u{a}' | '\u{d}' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The document as bytes: declaration, namespaces on the root, indented.
pub(crate) fn document(mut root: Node, linkages: &str) -> Result<Vec<u8>, std::io::Error> {
    let mut namespaces = vec![("xmlns:lk", linkages.to_owned())];
    for (key, namespace) in [
        ("xmlns:hs", Namespace::HumanServices),
        ("xmlns:j", Namespace::Justice),
        ("xmlns:nc", Namespace::Core),
        ("xmlns:structures", Namespace::Structures),
    ] {
        namespaces.extend(namespace.uri().map(|uri| (key, uri.to_owned())));
    }
    root.attributes.splice(0..0, namespaces);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    write(&mut writer, &root)?;
    let mut bytes = writer.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn write(writer: &mut Writer<Vec<u8>>, node: &Node) -> Result<(), std::io::Error> {
    let mut start = BytesStart::new(node.name);
    for (key, value) in &node.attributes {
        start.push_attribute((*key, value.as_str()));
    }
    if node.text.is_empty() && node.children.is_empty() {
        return writer.write_event(Event::Empty(start));
    }
    writer.write_event(Event::Start(start))?;
    if !node.text.is_empty() {
        writer.write_event(Event::Text(BytesText::new(&node.text)))?;
    }
    for child in &node.children {
        write(writer, child)?;
    }
    writer.write_event(Event::End(BytesEnd::new(node.name)))
}
