//! Whoever looks for one of Apple's names in the documentation finds what it is here.
//!
//! `selectors.txt` is the table; its head says how it is written.

use std::collections::BTreeSet;

use super::{files, in_word, is_word, text};

/// What a row of the table says about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    /// It is an alias of these items and of no other.
    Alias(Vec<String>),
    /// It is the name of this item, which can have no such alias.
    Name(String),
    /// It has no item, for a reason.
    Absent,
}

fn table() -> Vec<(String, Row)> {
    let text = text("tests/tidy/selectors.txt");
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.flat_map(rows_of).collect()
}

/// Reads a line, which has several names where they are the document's own.
fn rows_of(line: &str) -> Vec<(String, Row)> {
    if let Some((name, items)) = line.split_once(" = ") {
        let items = items.trim();
        let row = match items.strip_prefix("by name ") {
            Some(item) => Row::Name(item.into()),
            None => Row::Alias(items.split(", ").map(Into::into).collect()),
        };
        return vec![(name.trim().into(), row)];
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    match &words[..] {
        [names @ .., "own"] => names.iter().map(|&name| (name.into(), Row::Absent)).collect(),
        [name, "later" | "n/a", _, ..] => vec![((*name).into(), Row::Absent)],
        _ => panic!("selectors.txt: no such row: {line}"),
    }
}

/// Returns each alias of a source file with the item that it stands on, as `Type::item`.
fn aliases(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find("alias = \"") {
        let name = at + start + "alias = \"".len();
        let end = name + source[name..].find('"').unwrap();
        let item = end + source[end..].find(']').unwrap() + 1;
        found.push((source[name..end].into(), item_after(source, item)));
        at = item;
    }
    found
}

/// Returns the item that the attributes before `at` belong to.
fn item_after(source: &str, mut at: usize) -> String {
    loop {
        let rest = &source[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &source[at..];
        let skipped = match rest {
            _ if rest.starts_with("#[") => rest.find("]\n"),
            _ if rest.starts_with("//") => rest.find('\n'),
            _ => break,
        };
        at += skipped.map_or(rest.len(), |n| n + 1);
    }
    let name = name_of(&source[at..]);
    // What is indented belongs to what is not, as `rustfmt` has it.
    let is_member = source[..at].ends_with(' ');
    match is_member.then(|| owner(&source[..at])).flatten() {
        Some(owner) => format!("{owner}::{name}"),
        None => name,
    }
}

/// Returns the name of the item whose declaration this is, or of the field or variant.
fn name_of(declaration: &str) -> String {
    let mut words = declaration.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    let is_introduction = |word: &&str| {
        ["pub", "crate", "super", "in", "const", "fn", "struct", "enum", "trait", "type"]
            .contains(word)
    };
    words.find(|word| !is_introduction(word)).unwrap_or_default().into()
}

/// Returns the type whose `impl`, or the type or trait whose declaration, is the last to begin.
fn owner(source: &str) -> Option<String> {
    source.lines().rev().find_map(|line| {
        if let Some(block) = line.strip_prefix("impl") {
            let of = block.rsplit_once(" for ").map_or(block, |(_, of)| of);
            let of = if of.starts_with('<') { of.split_once("> ")?.1 } else { of };
            return Some(name_of(of));
        }
        let declares = ["pub struct ", "pub enum ", "pub trait "];
        declares.iter().any(|word| line.starts_with(word)).then(|| name_of(line))
    })
}

/// Returns what is wrong with the table, as seen from all aliases and the items' sources.
fn complaints(table: &[(String, Row)], aliases: &[(String, String)], all: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, row) in table {
        let stands: BTreeSet<&str> =
            aliases.iter().filter(|(alias, _)| alias == name).map(|(_, item)| &**item).collect();
        let meant: BTreeSet<&str> = match row {
            Row::Alias(items) => items.iter().map(|item| &**item).collect(),
            Row::Name(_) | Row::Absent => BTreeSet::new(),
        };
        if stands != meant {
            wrong.push(format!("`{name}` is an alias of {stands:?}, and should be of {meant:?}"));
        }
        if let Row::Name(item) = row
            && item.rsplit("::").next() != Some(name)
        {
            wrong.push(format!("`{item}` is not named `{name}`"));
        }
        if let Row::Name(_) = row
            && !all.contains(&format!("pub fn {name}("))
        {
            wrong.push(format!("there is no function `{name}`"));
        }
    }
    wrong
}

/// Returns the words of Objective-C or Swift: names, without comments and text.
fn words(code: &str) -> BTreeSet<String> {
    let chars: Vec<char> = super::code_only(code).chars().collect();
    let mut words = BTreeSet::new();
    let mut at = 0;
    while at < chars.len() {
        let end = at + chars[at..].iter().take_while(|&&c| is_word(c)).count();
        if end > at && !chars[at].is_numeric() && !in_word(&chars, at) {
            words.insert(chars[at..end].iter().collect());
        }
        at = end.max(at + 1);
    }
    words
}

/// Returns the words of a page's listings of Apple's that no row has.
fn unknown_words(page: &str, table: &[(String, Row)]) -> Vec<String> {
    let known: BTreeSet<String> = table.iter().flat_map(|(name, _)| words(name)).collect();
    let mut blocks = page.split("```");
    let mut unknown = BTreeSet::new();
    while let (Some(_), Some(block)) = (blocks.next(), blocks.next()) {
        let code = block.strip_prefix("objc\n").or_else(|| block.strip_prefix("swift\n"));
        unknown.extend(words(code.unwrap_or_default()).difference(&known).cloned());
    }
    unknown.into_iter().collect()
}

#[test]
fn every_name_of_the_document_is_an_alias_of_what_it_is_here() {
    let sources = files("src");
    let all: Vec<(String, String)> = sources.iter().flat_map(|(_, text)| aliases(text)).collect();
    let text: String = sources.into_iter().map(|(_, text)| text).collect();
    super::assert_none(complaints(&table(), &all, &text));
}

#[test]
fn every_name_of_the_listings_in_the_guide_is_in_the_table() {
    assert_eq!(unknown_words(&text("src/guide/nsurlsession.md"), &table()), [""; 0]);
}

#[test]
fn no_name_is_in_the_table_twice() {
    let table = table();
    let names: BTreeSet<&str> = table.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names.len(), table.len());
}

#[test]
fn the_item_of_an_alias_is_found_wherever_it_stands() {
    let cases = [
        ("#[doc(alias = \"A\")]\n#[derive(Clone)]\npub struct Session {\n", "Session"),
        (
            "impl Session {\n    #[doc(alias = \"A\")]\n    /// Says.\n    pub fn data(",
            "Session::data",
        ),
        ("impl<T> Reply<T> {\n    #[doc(alias = \"A\")]\n    pub const fn a(", "Reply::a"),
        (
            "impl Default for Session {\n    #[doc(alias = \"A\")]\n    fn default(",
            "Session::default",
        ),
        ("pub enum Kind {\n    #[doc(\n        alias = \"A\"\n    )]\n    Slow(u8),", "Kind::Slow"),
        (
            "pub trait Told {\n    #[doc(alias = \"A\")]\n    #[doc(alias = \"B\")]\n    fn told(",
            "Told::told",
        ),
        ("pub struct Bag {\n    #[doc(alias = \"A\")]\n    pub size: u8,", "Bag::size"),
        ("impl A {}\n\n#[doc(alias = \"A\")]\npub fn free(", "free"),
    ];
    for (source, item) in cases {
        assert_eq!(aliases(source)[0], ("A".into(), item.into()), "{source}");
    }
}

#[test]
fn an_alias_that_is_missing_or_elsewhere_is_found() {
    let alias = |item: &str| ("get".to_owned(), item.to_owned());
    let row = |line: &str| rows_of(line);
    let cases = [
        ("get = Session::data", vec![alias("Session::data")], 0),
        ("get = Session::data, Task", vec![alias("Task"), alias("Session::data")], 0),
        ("get = Session::data", vec![], 1),
        ("get = Session::data", vec![alias("Session::bytes")], 1),
        ("get = Session::data", vec![alias("Session::data"), alias("Session::bytes")], 1),
        ("get  later  not built", vec![alias("Session::data")], 1),
        ("get  n/a  not needed", vec![], 0),
        ("get = by name Session::get", vec![], 0),
        ("get = by name Session::got", vec![], 1),
        ("put = by name Session::put", vec![], 1),
    ];
    for (line, aliases, count) in cases {
        assert_eq!(complaints(&row(line), &aliases, "pub fn get(").len(), count, "{line}");
    }
}

#[test]
fn a_word_that_no_row_has_is_found() {
    let table = rows_of("dataTaskWithURL:completionHandler:  n/a  a test");
    let page =
        "words\n```objc\n[x dataTaskWithURL:@\"data\" completionHandler:f2]; // resume\n```\n";
    assert_eq!(unknown_words(page, &table), ["f2", "x"]);
    assert_eq!(unknown_words("```rust\nlet x = 1;\n```\n", &table), [""; 0]);
}
