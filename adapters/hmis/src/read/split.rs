//! Splits one line of CSV into fields, with three opinions about quotes.

/// How quotes are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuoteRule {
    /// RFC 4180; a quote in a quoted field that closes nothing is text.
    Standard,
    /// As standard, but two quotes before a comma are a stray one and the closing one.
    Doubled,
    /// Quotes are text, except one around the whole field.
    Literal,
}

/// Splits text that is fed line by line, so that a quoted field may go on.
#[derive(Debug)]
pub(crate) struct Splitter {
    rule: QuoteRule,
    fields: Vec<String>,
    current: String,
    is_quoted: bool,
    is_stray: bool,
}

impl Splitter {
    pub(crate) fn new(rule: QuoteRule) -> Self {
        Self {
            rule,
            fields: Vec::new(),
            current: String::new(),
            is_quoted: false,
            is_stray: false,
        }
    }

    /// Whether a quoted field waits for its end.
    pub(crate) fn is_open(&self) -> bool {
        self.is_quoted
    }

    /// Goes on with the next line inside the quoted field.
    pub(crate) fn feed_next_line(&mut self, line: &str) {
        self.current.push('\n');
        self.feed(line);
    }

    pub(crate) fn feed(&mut self, line: &str) {
        let mut is_at_start = !self.is_quoted;
        let mut chars = line.chars().peekable();
        while let Some(character) = chars.next() {
            match character {
                '"' if self.is_quoted => {
                    let mut ahead = chars.clone();
                    ahead.next();
                    match (chars.peek(), ahead.peek()) {
                        (None | Some(','), _) => self.is_quoted = false,
                        (Some('"'), None | Some(',')) if self.rule == QuoteRule::Doubled => {
                            self.current.push('"');
                            chars.next();
                            self.is_quoted = false;
                        }
                        (Some('"'), _) => {
                            self.current.push('"');
                            chars.next();
                        }
                        _ => {
                            self.current.push('"');
                            self.is_stray = true;
                        }
                    }
                }
                '"' if is_at_start => self.is_quoted = true,
                ',' if !self.is_quoted => {
                    self.fields.push(std::mem::take(&mut self.current));
                    is_at_start = true;
                    continue;
                }
                other => {
                    self.is_stray |= other == '"';
                    self.current.push(other);
                }
            }
            is_at_start = false;
        }
    }

    /// The fields, and whether a quote was out of place.
    pub(crate) fn finish(mut self) -> (Vec<String>, bool) {
        self.fields.push(self.current);
        (self.fields, self.is_stray)
    }
}

/// Splits a line on its own; a quote that stays open ends with the line.
pub(crate) fn split_line(line: &str, rule: QuoteRule) -> Vec<String> {
    if rule == QuoteRule::Literal {
        return line
            .split(',')
            .map(|field| unquoted(field).to_owned())
            .collect();
    }
    let mut splitter = Splitter::new(rule);
    splitter.feed(line);
    splitter.finish().0
}

fn unquoted(field: &str) -> &str {
    field
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(field)
}
