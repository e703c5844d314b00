//! Canonical JSON and its hash: keys sorted, no blanks, so that equal values have equal bytes.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The canonical JSON text of a value; empty for a value that JSON cannot express.
#[must_use]
pub fn canonical_json<T: Serialize>(value: &T) -> String {
    let mut text = Vec::with_capacity(1_024);
    match serde_json::to_value(value).and_then(|value| write_value(&value, &mut text)) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// `sha256:` and the hexadecimal digest of the bytes (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn write_value(value: &Value, text: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                write_value(item, text)?;
            }
            text.push(b']');
        }
        // Sorted here, since the order of a JSON map depends on how the library was built.
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push(b'{');
            for (index, (name, field)) in fields.into_iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                serde_json::to_writer(&mut *text, name)?;
                text.push(b':');
                write_value(field, text)?;
            }
            text.push(b'}');
        }
        scalar => serde_json::to_writer(text, scalar)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_the_bytes() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"d":1,"c":2}],"a":null}"#).unwrap();
        assert_eq!(canonical_json(&one), r#"{"a":null,"b":[1,{"c":2,"d":1}]}"#);
    }

    #[test]
    fn a_hash_names_its_function() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
    }
}
