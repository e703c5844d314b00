//! A message as a small tree, read within limits.
//!
//! Messages are short, so the whole tree is held; what could make it large or slow is refused:
//! document type definitions and entities, deep nesting, many elements, many attributes.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::limits::{Lines, MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS};
use super::scope::Scope;
use crate::namespace::Namespace;

/// Why a text is not a message tree. Carries the line, never content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {reason}")]
pub(crate) struct TreeError {
    /// Line of the text, from 1.
    pub(crate) line: u64,
    /// What is wrong.
    pub(crate) reason: TreeReason,
}

/// What is wrong with a text that should be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TreeReason {
    /// The bytes are not UTF-8.
    #[error("utf-8 text")]
    Encoding,
    /// Larger than a message may be.
    #[error("at most {MAX_BYTES} bytes")]
    Size,
    /// Nested deeper than a message is.
    #[error("at most {MAX_DEPTH} elements deep")]
    Depth,
    /// More elements than a message has.
    #[error("at most {MAX_ELEMENTS} elements")]
    Elements,
    /// More attributes or namespaces than an element of a message has.
    #[error("at most {MAX_ATTRIBUTES} attributes and namespaces in an element")]
    Attributes,
    /// A document type definition.
    #[error("no document type definition")]
    DocumentType,
    /// An entity other than the five of XML itself.
    #[error("no entity but the five of xml")]
    Entity,
    /// Not well-formed.
    #[error("well-formed xml")]
    Malformed,
    /// A prefix without a namespace.
    #[error("a namespace for each prefix")]
    Prefix,
    /// No element at all.
    #[error("an element")]
    Empty,
}

/// One element of a message.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// Namespace.
    pub(crate) namespace: Namespace,
    /// Name without prefix.
    pub(crate) local: String,
    /// Line where it starts, from 1.
    pub(crate) line: u64,
    /// Line where it ends.
    pub(crate) last_line: u64,
    /// `structures:id`, or the local `structures:uri` of an element with content.
    pub(crate) id: Option<String>,
    /// `structures:ref`, or the local `structures:uri` of an element without content.
    pub(crate) reference: Option<String>,
    /// Text directly inside, without surrounding blanks.
    pub(crate) text: String,
    /// Child elements in order.
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The name with the prefix that our own messages use, such as `nc:PersonName`.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.namespace.prefix(), self.local)
    }

    /// Whether it has this prefixed name.
    #[must_use]
    pub(crate) fn is(&self, name: &str) -> bool {
        name.split_once(':')
            .is_some_and(|(prefix, local)| prefix == self.namespace.prefix() && local == self.local)
    }

    /// Children with a prefixed name.
    pub(crate) fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a Element> + use<'a, 'n> {
        self.children.iter().filter(move |child| child.is(name))
    }

    /// The first element at a path of prefixed names, such as `nc:PersonName/nc:PersonSurName`.
    #[must_use]
    pub(crate) fn at(&self, path: &str) -> Option<&Element> {
        path.split('/')
            .try_fold(self, |element, name| element.all(name).next())
    }

    /// The text at a path, when there is any.
    #[must_use]
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path)
            .map(|element| element.text.as_str())
            .filter(|text| !text.is_empty())
    }
}

impl std::fmt::Debug for Element {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Element({}, line {})", self.name(), self.line)
    }
}

/// Reads a message; `linkages` is the address of the extension namespace.
///
/// # Errors
/// [`TreeError`] with the line at which reading stopped.
pub(crate) fn parse(bytes: &[u8], linkages: &str) -> Result<Element, TreeError> {
    let at_start = |reason| TreeError { line: 1, reason };
    if bytes.len() > MAX_BYTES {
        return Err(at_start(TreeReason::Size));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| at_start(TreeReason::Encoding))?;
    let mut builder = Builder::new(text, linkages);
    if let Some((offset, _)) = text.char_indices().find(|(_, one)| !is_xml(*one)) {
        builder.lines.advance(offset as u64);
        let line = builder.lines.line();
        return Err(TreeError {
            line,
            reason: TreeReason::Malformed,
        });
    }
    let mut reader = Reader::from_str(text);
    loop {
        let position = reader.buffer_position();
        let event = reader.read_event();
        builder.lines.advance(position);
        let step = match event {
            Ok(Event::Eof) => break,
            Ok(event) => builder.take(event),
            Err(_) => Err(TreeReason::Malformed),
        };
        step.map_err(|reason| TreeError {
            line: builder.lines.line(),
            reason,
        })?;
    }
    let line = builder.lines.line();
    builder
        .finish()
        .map_err(|reason| TreeError { line, reason })
}

/// Whether XML 1.0 (2.2, production Char) allows a character.
const fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

struct Builder<'a> {
    lines: Lines<'a>,
    scope: Scope<'a>,
    open: Vec<Element>,
    /// The local `structures:uri` of each open element.
    uris: Vec<Option<String>>,
    root: Option<Element>,
    elements: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, linkages: &'a str) -> Self {
        Self {
            lines: Lines::new(text),
            scope: Scope::new(linkages),
            open: Vec::new(),
            uris: Vec::new(),
            root: None,
            elements: 0,
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), TreeReason> {
        match event {
            Event::Start(start) => self.start(&start),
            Event::Empty(start) => {
                self.start(&start)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(data) => self.text(&data.xml10_content()),
            Event::GeneralRef(reference) => self.reference(&reference),
            Event::DocType(_) => Err(TreeReason::DocumentType),
            _ => Ok(()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), TreeReason> {
        if self.root.is_some() {
            return Err(TreeReason::Malformed);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(TreeReason::Depth);
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(TreeReason::Elements);
        }
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| TreeReason::Malformed)?;
            if attributes.len() == MAX_ATTRIBUTES {
                return Err(TreeReason::Attributes);
            }
            let value = quick_xml::escape::unescape(&attribute.value);
            let value = value.map_err(|_| TreeReason::Entity)?.into_owned();
            attributes.push((attribute.key.as_ref().to_owned(), value));
        }
        self.scope.enter(&attributes)?;
        let name = start.name();
        let (namespace, local) = self.scope.element(name.as_ref())?;
        let mut element = Element {
            namespace,
            local: local.to_owned(),
            line: self.lines.line(),
            last_line: self.lines.line(),
            id: None,
            reference: None,
            text: String::new(),
            children: Vec::new(),
        };
        let mut uri = None;
        for (key, value) in attributes {
            match self.scope.attribute(&key)? {
                (Namespace::Structures, "id") => element.id = Some(value),
                (Namespace::Structures, "ref") => element.reference = Some(value),
                (Namespace::Structures, "uri") => uri = value.strip_prefix('#').map(str::to_owned),
                _ => {}
            }
        }
        self.open.push(element);
        self.uris.push(uri);
        Ok(())
    }

    fn end(&mut self) -> Result<(), TreeReason> {
        let mut element = self.open.pop().ok_or(TreeReason::Malformed)?;
        self.scope.leave();
        element.last_line = self.lines.line();
        let trimmed = element.text.trim();
        if trimmed.len() != element.text.len() {
            element.text = trimmed.to_owned();
        }
        if let Some(uri) = self.uris.pop().flatten() {
            let is_empty = element.children.is_empty() && element.text.is_empty();
            let named = match is_empty {
                true => &mut element.reference,
                false => &mut element.id,
            };
            named.get_or_insert(uri);
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), TreeReason> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(TreeReason::Malformed),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), TreeReason> {
        let resolved = reference
            .resolve_char_ref()
            .map_err(|_| TreeReason::Entity)?;
        match resolved {
            Some(character) if !is_xml(character) => Err(TreeReason::Malformed),
            Some(character) => self.text(character.encode_utf8(&mut [0; 4])),
            None => {
                let name = reference.xml10_content();
                let text = quick_xml::escape::resolve_predefined_entity(&name);
                self.text(text.ok_or(TreeReason::Entity)?)
            }
        }
    }

    fn finish(self) -> Result<Element, TreeReason> {
        if !self.open.is_empty() {
            return Err(TreeReason::Malformed);
        }
        self.root.ok_or(TreeReason::Empty)
    }
}
