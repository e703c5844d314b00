//! Which namespace a prefix stands for, at each depth of a message.

use super::limits::MAX_ATTRIBUTES;
use super::tree::TreeReason;
use crate::namespace::Namespace;

/// The namespaces in force. Bounded, so that looking one up is always cheap.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    linkages: &'a str,
    bindings: Vec<(String, Namespace)>,
    marks: Vec<usize>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(linkages: &'a str) -> Self {
        Self {
            linkages,
            bindings: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Enters an element with its attributes; must be answered by [`Scope::leave`].
    pub(crate) fn enter(&mut self, attributes: &[(String, String)]) -> Result<(), TreeReason> {
        self.marks.push(self.bindings.len());
        for (key, uri) in attributes {
            let prefix = match key.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if rest.starts_with(':') => rest.trim_start_matches(':'),
                _ => continue,
            };
            if self.bindings.len() == MAX_ATTRIBUTES {
                return Err(TreeReason::Attributes);
            }
            self.bindings
                .push((prefix.to_owned(), Namespace::of(uri, self.linkages)));
        }
        Ok(())
    }

    /// Leaves the element entered last.
    pub(crate) fn leave(&mut self) {
        if let Some(mark) = self.marks.pop() {
            self.bindings.truncate(mark);
        }
    }

    /// Namespace and local name of an element; one without prefix takes the default namespace.
    pub(crate) fn element<'n>(&self, name: &'n str) -> Result<(Namespace, &'n str), TreeReason> {
        match name.split_once(':') {
            Some((prefix, local)) => Ok((self.lookup(prefix).ok_or(TreeReason::Prefix)?, local)),
            None => Ok((self.lookup("").unwrap_or(Namespace::Other), name)),
        }
    }

    /// Namespace and local name of an attribute; one without prefix is in no namespace.
    pub(crate) fn attribute<'n>(&self, name: &'n str) -> Result<(Namespace, &'n str), TreeReason> {
        match name.split_once(':') {
            Some(("xml" | "xmlns", local)) => Ok((Namespace::Other, local)),
            Some(_) => self.element(name),
            None => Ok((Namespace::Other, name)),
        }
    }

    fn lookup(&self, prefix: &str) -> Option<Namespace> {
        let mut bindings = self.bindings.iter().rev();
        bindings
            .find(|(bound, _)| bound == prefix)
            .map(|(_, namespace)| *namespace)
    }
}
