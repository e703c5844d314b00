use super::*;

const HEADER: &[&str] = &["code", "label"];
const GOOD: &str = "# source: a published list\n# version: 2026\n# free words\ncode,label\n\n1,\"one\nand a half\"\r\n2,two\n";

fn table(text: &str) -> Result<Table, TableError> {
    Table::parse("list.csv", text, HEADER)
}

#[test]
fn rows_carry_the_line_they_stand_on_past_blank_lines_and_quoted_line_breaks() {
    let table = table(GOOD).unwrap();
    let lines: Vec<_> = table.rows().iter().map(Row::line).collect();
    assert_eq!(lines, [6, 8]);
    assert_eq!(table.rows()[1].get("label"), "two");
    assert_eq!(
        (table.source(), table.version()),
        ("a published list", "2026")
    );
}

#[test]
fn a_table_without_source_or_version_is_refused() {
    for (text, comment) in [
        ("# version: 1\ncode,label\n", "source"),
        ("# source: x\ncode,label\n", "version"),
        ("# source:\n# version: 1\ncode,label\n", "source"),
        ("", "source"),
    ] {
        let expected = TableError::MissingComment {
            file: "list.csv".to_owned(),
            comment,
        };
        assert_eq!(table(text), Err(expected));
    }
}

#[test]
fn an_unexpected_header_is_refused_with_file_and_line() {
    for body in ["label,code\n", "code,label,more\n", "code\n", ""] {
        let error = table(&format!("# source: x\n# version: 1\n{body}")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "list.csv:3: header differs: expected code,label"
        );
    }
}

#[test]
fn a_row_with_too_few_or_too_many_columns_is_refused_with_its_line() {
    for row in ["1", "1,one,more"] {
        let error = table(&format!(
            "# source: x\n# version: 1\ncode,label\n0,zero\n{row}\n"
        ));
        assert_eq!(
            error.unwrap_err().to_string(),
            "list.csv:5: malformed row: expected 2 columns"
        );
    }
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    let error = Table::parse_bytes("list.csv", b"# source: \xff\n", HEADER).unwrap_err();
    assert_eq!(
        error,
        TableError::NotText {
            file: "list.csv".to_owned()
        }
    );
}

#[test]
fn a_blank_or_unreadable_cell_names_file_line_and_column() {
    let table = table("# source: x\n# version: 1\ncode,label\n,two\n").unwrap();
    let row = &table.rows()[0];
    assert_eq!(
        row.required("code").unwrap_err().to_string(),
        "list.csv:4: column `code`: expected a value"
    );
    assert_eq!(
        row.parsed::<u8>("label", "a number")
            .unwrap_err()
            .to_string(),
        "list.csv:4: column `label`: expected a number"
    );
}

#[test]
fn a_key_that_stands_twice_is_refused_with_both_lines() {
    let error = table("# source: x\n# version: 1\ncode,label\n1,a\n1,b\n")
        .and_then(|table| table.unique_by(&["code"]))
        .unwrap_err();
    assert!(
        matches!(
            error,
            TableError::Duplicate {
                line: 5,
                first: 4,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_county_replaces_rows_by_key_and_adds_new_ones() {
    let county = Table::parse(
        "county.csv",
        "# source: county memo\n# version: 7\ncode,label\n3,three\n1,uno\n",
        HEADER,
    )
    .unwrap();
    let shipped = table(GOOD).unwrap();
    let (before, merged) = (shipped.hash(), shipped.overridden_by(county, &["code"]));
    let rows: Vec<_> = merged
        .rows()
        .iter()
        .map(|row| (row.get("code"), row.get("label"), row.file()))
        .collect();
    assert_eq!(
        rows,
        [
            ("1", "uno", "county.csv"),
            ("2", "two", "list.csv"),
            ("3", "three", "county.csv")
        ]
    );
    assert_eq!(merged.version(), "2026+7");
    assert_ne!(merged.hash(), before);
}

#[test]
fn the_hash_is_the_sha256_of_the_file() {
    let hash = table(GOOD).unwrap().hash();
    assert_eq!(hash, table(GOOD).unwrap().hash());
    assert_eq!(
        hash.to_string(),
        hex::encode(Sha256::digest(GOOD.as_bytes()))
    );
    assert_ne!(hash, table(&format!("{GOOD}3,three\n")).unwrap().hash());
}
