//! The fields of the Linkages messages, from `linkages_messages.csv`, and what each kind of message needs.

use std::collections::HashMap;

use tandem_mappings::tables::{Row, Table, TableError};

const FIELDS: &str = include_str!("../../../../mappings/tables/calworks/linkages_messages.csv");
const NEEDS: &str = include_str!("../../../../mappings/tables/calworks/linkages_needs.csv");

/// What a row of the CSV form describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineType {
    /// The message itself.
    Header,
    /// A person it is about.
    Person,
    /// An activity of a plan.
    Activity,
    /// A goal of a plan.
    Goal,
    /// Who pays for what.
    Funding,
    /// A level rated.
    Rating,
}

impl LineType {
    /// Every line type in the order of the CSV form.
    pub const ALL: [Self; 6] = [
        Self::Header,
        Self::Person,
        Self::Activity,
        Self::Goal,
        Self::Funding,
        Self::Rating,
    ];

    /// The code in the column `line_type`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Person => "person",
            Self::Activity => "activity",
            Self::Goal => "goal",
            Self::Funding => "funding",
            Self::Rating => "rating",
        }
    }

    /// The name of the list in the JSON form; none for the header, whose fields stand in the message itself.
    #[must_use]
    pub const fn list(self) -> Option<&'static str> {
        match self {
            Self::Header => None,
            Self::Person => Some("persons"),
            Self::Activity => Some("activities"),
            Self::Goal => Some("goals"),
            Self::Funding => Some("fundings"),
            Self::Rating => Some("ratings"),
        }
    }

    /// The line type of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|line| line.code() == code)
    }
}

/// The type of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Free text.
    Text,
    /// One of the field's codes.
    Code,
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339 with offset.
    Timestamp,
    /// A whole number of at least 0.
    Number,
}

/// One field.
#[derive(Debug, Clone)]
pub struct LinkagesField {
    /// Column or key.
    pub name: String,
    /// Line types on which it may be filled.
    pub lines: Vec<LineType>,
    /// Type of its value.
    pub value: ValueType,
    /// Whether it must be filled on its line types.
    pub is_required: bool,
    /// The closed list of codes; empty when the model has the list.
    pub codes: Vec<String>,
}

impl LinkagesField {
    fn of(row: &Row) -> Result<Self, TableError> {
        let value = match row.get("type") {
            "text" => ValueType::Text,
            "code" => ValueType::Code,
            "date" => ValueType::Date,
            "timestamp" => ValueType::Timestamp,
            "number" => ValueType::Number,
            _ => return Err(row.refuse("type", "text, code, date, timestamp or number")),
        };
        let lines = match row.get("lines") {
            "all" => LineType::ALL.to_vec(),
            some => some
                .split('+')
                .map(|code| {
                    LineType::from_code(code)
                        .ok_or_else(|| row.refuse("lines", "line types joined by +"))
                })
                .collect::<Result<_, _>>()?,
        };
        let codes = row
            .get("codes")
            .split('|')
            .filter(|code| !code.is_empty())
            .map(str::to_owned)
            .collect();
        let is_required = row.get("required") == "yes";
        Ok(Self {
            name: row.required("field")?.to_owned(),
            lines,
            value,
            is_required,
            codes,
        })
    }

    /// Whether a value that is not blank has the field's type. Codes are compared only with a closed list of the table.
    #[must_use]
    pub fn fits(&self, value: &str) -> bool {
        match self.value {
            ValueType::Text => true,
            ValueType::Code => self.codes.is_empty() || self.codes.iter().any(|code| code == value),
            ValueType::Date => value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok(),
            ValueType::Timestamp => value.parse::<jiff::Timestamp>().is_ok(),
            ValueType::Number => value.parse::<u32>().is_ok(),
        }
    }

    /// What a good value looks like, in words.
    #[must_use]
    pub const fn expectation(&self) -> &'static str {
        match self.value {
            ValueType::Text => "text",
            ValueType::Code => "a code of the field's list",
            ValueType::Date => "a date YYYY-MM-DD",
            ValueType::Timestamp => "a timestamp as in RFC 3339 with offset",
            ValueType::Number => "a whole number of at least 0",
        }
    }
}

/// All fields in the order of the CSV form, and the needs of each kind of message.
#[derive(Debug, Clone)]
pub struct LinkagesFields {
    fields: Vec<LinkagesField>,
    places: HashMap<String, usize>,
    needs: Vec<(String, LineType, String)>,
}

impl LinkagesFields {
    /// Loads both tables.
    ///
    /// # Errors
    /// When a table is not sound, or a need names an unknown message or field.
    pub fn load() -> Result<Self, TableError> {
        let columns = ["field", "lines", "type", "required", "codes", "description"];
        let table =
            Table::parse("linkages_messages.csv", FIELDS, &columns)?.unique_by(&["field"])?;
        let fields: Vec<LinkagesField> = table
            .rows()
            .iter()
            .map(LinkagesField::of)
            .collect::<Result<_, _>>()?;
        let places = fields
            .iter()
            .enumerate()
            .map(|(place, field)| (field.name.clone(), place))
            .collect();
        let mut loaded = Self {
            fields,
            places,
            needs: Vec::new(),
        };
        let needs = Table::parse(
            "linkages_needs.csv",
            NEEDS,
            &["message_type", "line_type", "field"],
        )?;
        for row in needs.rows() {
            let (kind, field) = (row.get("message_type"), row.get("field"));
            let line = LineType::from_code(row.get("line_type"))
                .ok_or_else(|| row.refuse("line_type", "a line type"))?;
            if !loaded
                .field("message_type")
                .is_some_and(|known| known.fits(kind))
            {
                return Err(row.refuse("message_type", "a kind of message"));
            }
            if !field.is_empty() && loaded.field(field).is_none() {
                return Err(row.refuse("field", "a field of the messages"));
            }
            loaded.needs.push((kind.to_owned(), line, field.to_owned()));
        }
        Ok(loaded)
    }

    /// The fields in order.
    #[must_use]
    pub fn all(&self) -> &[LinkagesField] {
        &self.fields
    }

    /// A field by name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&LinkagesField> {
        self.fields.get(*self.places.get(name)?)
    }

    /// What a kind of message needs: a field of a line type, or (blank field) at least one row of it.
    pub fn needs<'a>(&'a self, message_type: &'a str) -> impl Iterator<Item = (LineType, &'a str)> {
        self.needs
            .iter()
            .filter(move |(kind, _, _)| kind == message_type)
            .map(|(_, line, field)| (*line, field.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_tables_load() {
        let fields = LinkagesFields::load().unwrap();
        assert_eq!(fields.all().first().unwrap().name, "message_id");
        assert_eq!(fields.needs("participation").count(), 2);
        assert_eq!(fields.field("domain").unwrap().lines.len(), 4);
    }

    #[test]
    fn values_are_checked_by_type() {
        let fields = LinkagesFields::load().unwrap();
        let fits = |name: &str, value: &str| fields.field(name).unwrap().fits(value);
        assert!(fits("birth_date", "2018-03-02") && !fits("birth_date", "03/02/2018"));
        assert!(
            fits("created_at", "2026-02-02T09:00:00-08:00") && !fits("created_at", "2026-02-02")
        );
        assert!(fits("sex", "F") && !fits("sex", "female"));
        assert!(fits("hours_per_week", "20") && !fits("hours_per_week", "-1"));
    }
}
