//! A strict reader of RFC 4180 that shares no code with the crate's own, and the rule for spreadsheets.

/// The rows of a file with commas and CRLF.
pub(crate) fn rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut rows = vec![Vec::new()];
    let mut rest = text;
    loop {
        let (cell, behind) = cell(rest)?;
        rows.last_mut().unwrap().push(cell);
        rest = match behind {
            "" => return Err("the last line does not end".to_owned()),
            "\r\n" => break,
            behind => match (behind.strip_prefix(','), behind.strip_prefix("\r\n")) {
                (Some(behind), _) => behind,
                (_, Some(behind)) => {
                    rows.push(Vec::new());
                    behind
                }
                _ => return Err(format!("neither a comma nor CRLF: {behind:?}")),
            },
        };
    }
    let width = rows[0].len();
    match rows.iter().all(|row| row.len() == width) {
        true => Ok(rows),
        false => Err("the rows have different lengths".to_owned()),
    }
}

fn cell(text: &str) -> Result<(String, &str), String> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\r', '\n']).unwrap_or(text.len());
        let (cell, behind) = text.split_at(end);
        return match cell.contains('"') {
            true => Err(format!("a quote in a cell without quotes: {cell:?}")),
            false => Ok((cell.to_owned(), behind)),
        };
    };
    let mut cell = String::new();
    loop {
        let (part, behind) = rest.split_once('"').ok_or("a quoted cell does not end")?;
        cell.push_str(part);
        match behind.strip_prefix('"') {
            None => return Ok((cell, behind)),
            Some(behind) => {
                cell.push('"');
                rest = behind;
            }
        }
    }
}

/// Cells that a spreadsheet takes for a formula (<https://owasp.org/www-community/attacks/CSV_Injection>), at whichever of
/// the usual separators it splits. A lone `-` and a number are none.
pub(crate) fn formulas(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows(text).unwrap() {
        let cells = row.into_iter().filter(|cell| cell != "-");
        found.extend(cells.filter(|cell| {
            cell.trim_start()
                .starts_with(['=', '+', '-', '@', '\t', '\r'])
        }));
    }
    for separator in [';', '\t'] {
        // A spreadsheet with another separator also respects quotes, but only where a cell begins.
        let mut inside = false;
        let outside = text.chars().filter(|c| {
            inside ^= *c == '"';
            !inside
        });
        let outside: String = outside.collect();
        found.extend(
            outside
                .contains(separator)
                .then(|| format!("{separator:?} outside quotes")),
        );
    }
    found
}

#[test]
fn a_file_that_is_no_csv_is_refused() {
    assert_eq!(rows("a,\"b\"\"c\r\n,\"\r\n").unwrap(), [["a", "b\"c\r\n,"]]);
    for bad in [
        "a",
        "a\n",
        "a,b\r\nc\r\n",
        "a\"b\r\n",
        "\"a\r\n",
        "\"a\"b\r\n",
    ] {
        assert!(rows(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_formula_is_found() {
    for bad in ["=1\r\n", "a,+1\r\n", "\" -1\"\r\n", "@x\r\n", "a;=1\r\n"] {
        assert!(!formulas(bad).is_empty(), "{bad:?}");
    }
    assert!(formulas("'=1,-,\"a;b\",3.5\r\n").is_empty());
}
