//! A small tree of XML elements, named by namespace and never by prefix.

use anyhow::{Context, bail, ensure};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// Deeper than any message of the two kinds.
const MOST_DEPTH: usize = 40;

/// One element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// (namespace, name, value); namespace declarations are left out.
    pub(crate) attributes: Vec<(String, String, String)>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is not well formed, holds a DTD or an entity of its own, or nests too deep.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut reader = NsReader::from_str(text);
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        loop {
            let (namespace, event) = reader.read_resolved_event().context("not well formed")?;
            let namespace = resolved(&namespace)?;
            match event {
                Event::Start(start) => {
                    ensure!(open.len() < MOST_DEPTH, "nested too deep");
                    open.push(Self::begin(&reader, namespace, &start)?);
                }
                Event::Empty(start) => {
                    let element = Self::begin(&reader, namespace, &start)?;
                    close(&mut open, &mut root, element)?;
                }
                Event::End(_) => {
                    let element = open.pop().context("end without start")?;
                    close(&mut open, &mut root, element)?;
                }
                Event::Text(text) => add_text(&mut open, &text.xml10_content())?,
                Event::CData(text) => add_text(&mut open, &text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let name: &str = &reference;
                    let known = quick_xml::escape::unescape(&format!("&{name};"))?.into_owned();
                    add_text(&mut open, &known)?;
                }
                Event::DocType(_) => bail!("document type declaration"),
                Event::Eof => break,
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            }
        }
        ensure!(open.is_empty(), "element without end");
        root.context("no root element")
    }

    fn begin(
        reader: &NsReader<&[u8]>,
        namespace: String,
        start: &BytesStart<'_>,
    ) -> anyhow::Result<Self> {
        let name = start.local_name().as_ref().to_owned();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.context("malformed attribute")?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
            let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0)?;
            let name = name.as_ref().to_owned();
            attributes.push((resolved(&namespace)?, name, value.into_owned()));
        }
        Ok(Self {
            namespace,
            name,
            attributes,
            ..Self::default()
        })
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, namespace: &str, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(space, local, _)| space == namespace && local == name)
            .map(|(_, _, value)| value.as_str())
    }

    /// Children with that namespace and name.
    pub(crate) fn all<'tree>(
        &'tree self,
        namespace: &'tree str,
        name: &'tree str,
    ) -> impl Iterator<Item = &'tree Self> {
        self.children
            .iter()
            .filter(move |child| child.namespace == namespace && child.name == name)
    }

    /// The element at the end of a path of (namespace, name) steps, first child of each name.
    pub(crate) fn at(&self, path: &[(&str, &str)]) -> Option<&Self> {
        path.iter().try_fold(self, |element, (namespace, name)| {
            element
                .children
                .iter()
                .find(|child| child.namespace == *namespace && child.name == *name)
        })
    }

    /// The trimmed text at the end of a path, blank when there is none.
    pub(crate) fn text_at(&self, path: &[(&str, &str)]) -> String {
        self.at(path)
            .map_or_else(String::new, |element| element.text.trim().to_owned())
    }

    /// This element and everything under it.
    pub(crate) fn walk(&self) -> Vec<&Self> {
        let mut found = vec![self];
        let mut index = 0;
        while let Some(element) = found.get(index).copied() {
            found.extend(element.children.iter());
            index += 1;
        }
        found
    }
}

fn close(open: &mut [Element], root: &mut Option<Element>, element: Element) -> anyhow::Result<()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => ensure!(root.replace(element).is_none(), "second root element"),
    }
    Ok(())
}

fn add_text(open: &mut [Element], text: &str) -> anyhow::Result<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None => ensure!(text.trim().is_empty(), "text outside the root element"),
    }
    Ok(())
}

fn resolved(namespace: &ResolveResult<'_>) -> anyhow::Result<String> {
    match namespace {
        ResolveResult::Bound(namespace) => Ok(namespace.as_ref().to_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(_) => bail!("prefix without namespace"),
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn prefixes_do_not_matter_and_entities_are_read() {
        let one = Element::parse("<a:r xmlns:a='urn:x' a:k='1'>x &amp; y</a:r>").unwrap();
        let other =
            Element::parse("<r xmlns='urn:x' xmlns:b='urn:x' b:k='1'>x &amp; y</r>").unwrap();
        assert_eq!(one, other);
        assert_eq!(one.text, "x & y");
    }

    #[test]
    fn dtd_own_entity_deep_nesting_and_half_a_document_are_refused() {
        for bad in [
            "<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>",
            "<r>&e;</r>",
            "<r><s></r>",
            "<r/><r/>",
            "<p:r/>",
            "",
        ] {
            assert!(Element::parse(bad).is_err(), "{bad}");
        }
        let deep = format!("{}{}", "<r>".repeat(100), "</r>".repeat(100));
        assert!(Element::parse(&deep).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_tree_or_an_error(text in "[<>/a-c:&;='\"! \\[\\]-]{0,60}") {
            let _tree_or_error = Element::parse(&text);
        }
    }
}
