//! Making a name that a stranger chose harmless on every system.
//!
//! The rules are those that Chromium has for downloads (`filename_util`), and all of them
//! hold everywhere: a name is often carried from one system to another.

/// Usual file systems hold 255 bytes of UTF-8, or as many units of UTF-16, which are never
/// more; one byte is left for the underscore before a reserved name.
const LONGEST: usize = 254;

/// An extension is kept when a name is cut, unless it is longer than this.
const LONGEST_EXTENSION: usize = 32;

/// Makes `name` harmless; without an extension it gets `extension`. `None` if nothing is
/// left of it.
pub(super) fn safe_name(name: &str, extension: Option<&str>) -> Option<String> {
    let replaced = |char| if is_illegal(char) { '_' } else { char };
    let mut name: String = trimmed(name).chars().map(replaced).collect();
    if name.is_empty() {
        return None;
    }
    if let (None, Some(extension)) = (split(&name).1, extension) {
        name = format!("{name}.{extension}");
    }
    // Each check sees the name as its step leaves it: cutting can uncover what the checks
    // look for, so it comes before them, and nothing is cut after the last one.
    cut(&mut name);
    if let Some((stem, last)) = name.rsplit_once('.')
        && is_dangerous(last)
    {
        name = format!("{stem}.download");
        cut(&mut name);
    }
    if is_reserved(&name) {
        name.insert(0, '_');
    }
    Some(name)
}

/// Leading dots hide a file, and Windows drops dots and spaces at the end, which would
/// change what the extension is.
fn trimmed(name: &str) -> &str {
    name.trim_matches(|char: char| char == '.' || char.is_whitespace())
}

/// Separators, what Windows forbids, and what cannot be seen: control and format
/// characters, among them those that turn the direction of text around so that
/// `exe.png` shows as something else. The joiners U+200C and U+200D are part of words.
fn is_illegal(char: char) -> bool {
    let format = matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}');
    let noncharacter = u32::from(char) & 0xfffe == 0xfffe;
    char.is_control() || format || noncharacter || "/\\:*?\"<>|".contains(char)
}

/// Extensions that the Windows shell acts on by merely showing the file, and class
/// identifiers, which hide what a file is (CVE-2004-0420).
fn is_dangerous(extension: &str) -> bool {
    let known = ["lnk", "local", "scf", "url"];
    let class = extension.starts_with('{') && extension.ends_with('}');
    class || known.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Names of devices on Windows, with any extension, and two files that its shell obeys.
fn is_reserved(name: &str) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if is("desktop.ini") || is("thumbs.db") {
        return true;
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let device = ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"];
    let numbered = || {
        let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"))?;
        let mut digits = number.chars();
        // Windows takes the superscripts of Latin-1 for digits.
        let digit = digits.next().filter(|digit| digit.is_ascii_digit() || "¹²³".contains(*digit));
        (digit.is_some() && digits.next().is_none()).then_some(())
    };
    device.contains(&&*stem) || numbered().is_some()
}

/// Splits a name into stem and extension, if it has one that is worth keeping.
fn split(name: &str) -> (&str, Option<&str>) {
    let usable = |extension: &str| {
        extension.len() <= LONGEST_EXTENSION && !extension.contains(char::is_whitespace)
    };
    match name.rsplit_once('.') {
        Some((stem, extension)) if usable(extension) => (stem, Some(extension)),
        _ => (name, None),
    }
}

/// Shortens a name from the end of its stem.
fn cut(name: &mut String) {
    if name.len() <= LONGEST {
        return;
    }
    let (stem, extension) = split(name);
    let room = LONGEST - extension.map_or(0, |extension| extension.len() + 1);
    let end = (0..=room).rev().find(|&end| stem.is_char_boundary(end)).unwrap_or(0);
    let stem = trimmed(&stem[..end]);
    *name = match extension {
        Some(extension) => format!("{stem}.{extension}"),
        None => stem.to_owned(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_path_hidden_special_or_dangerous() {
        for (name, expected) in [
            // Nothing is left.
            ("", None),
            (".", None),
            ("..", None),
            ("...", None),
            (" \t.\u{3000}", None),
            // Paths.
            ("../../etc/passwd", Some("_.._etc_passwd")),
            ("..\\..\\boot.ini", Some("_.._boot.ini")),
            ("/etc/passwd", Some("_etc_passwd")),
            ("C:\\Windows\\a.exe", Some("C__Windows_a.exe")),
            ("\\\\host\\share\\a", Some("__host_share_a")),
            ("a.txt:stream", Some("a.txt_stream")),
            ("a.lnk::$DATA", Some("a.lnk__$DATA")),
            ("/", Some("_")),
            ("~/.ssh/config", Some("~_.ssh_config")),
            // Characters.
            ("a\0b.txt", Some("a_b.txt")),
            ("a\r\nb\x7f\u{9b}.txt", Some("a__b__.txt")),
            ("<>\"|?*.txt", Some("______.txt")),
            ("photo\u{202e}gnp.exe", Some("photo_gnp.exe")),
            ("photo\u{2066}gnp\u{2069}.exe", Some("photo_gnp_.exe")),
            ("a\u{200b}b\u{feff}.txt", Some("a_b_.txt")),
            ("a\u{ffff}\u{1fffe}.txt", Some("a__.txt")),
            ("می\u{200c}خواهم.txt", Some("می\u{200c}خواهم.txt")),
            // Ends.
            (".bashrc", Some("bashrc")),
            ("..a..", Some("a")),
            ("a.txt. . ", Some("a.txt")),
            ("\u{a0}a.txt\u{a0}", Some("a.txt")),
            // Devices of Windows.
            ("CON", Some("_CON")),
            ("con.txt", Some("_con.txt")),
            ("Aux.tar.gz", Some("_Aux.tar.gz")),
            ("nul .txt", Some("_nul .txt")),
            ("prn.", Some("_prn")),
            ("COM0", Some("_COM0")),
            ("com9.log", Some("_com9.log")),
            ("LPT1", Some("_LPT1")),
            ("COM¹.txt", Some("_COM¹.txt")),
            ("clock$", Some("_clock$")),
            ("conin$", Some("_conin$")),
            ("Desktop.ini", Some("_Desktop.ini")),
            ("THUMBS.DB", Some("_THUMBS.DB")),
            ("console.txt", Some("console.txt")),
            ("COM10", Some("COM10")),
            ("COMX", Some("COMX")),
            ("a.con", Some("a.con")),
            // Extensions.
            ("a.lnk", Some("a.download")),
            ("a.LOCAL", Some("a.download")),
            ("a.scf", Some("a.download")),
            ("a.pdf.url", Some("a.pdf.download")),
            ("a.lnk ", Some("a.download")),
            ("a.lnk.", Some("a.download")),
            ("a.{00021401-0000-0000-C000-000000000046}", Some("a.download")),
            ("con.lnk", Some("_con.download")),
            ("lnk", Some("lnk")),
            ("a.link", Some("a.link")),
        ] {
            assert_eq!(safe_name(name, None).as_deref(), expected, "{name:?}");
        }
    }

    #[test]
    fn an_extension_is_added_only_where_there_is_none() {
        for (name, expected) in [
            ("report", "report.pdf"),
            ("report.txt", "report.txt"),
            ("Mr. Smith", "Mr. Smith.pdf"),
            (".hidden", "hidden.pdf"),
            ("report.", "report.pdf"),
            ("con", "_con.pdf"),
            ("a.lnk", "a.download"),
        ] {
            assert_eq!(safe_name(name, Some("pdf")).as_deref(), Some(expected), "{name:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_before_its_extension_and_stays_harmless() {
        let long = |before: &str, times: usize, after: &str| {
            let name = format!("{}{after}", before.repeat(times));
            safe_name(&name, None).unwrap()
        };
        assert_eq!(long("a", 300, ".tar"), format!("{}.tar", "a".repeat(250)));
        assert_eq!(long("é", 200, ".txt"), format!("{}.txt", "é".repeat(125)));
        // Each of these uncovers something by being cut.
        let x = "x".repeat(300);
        assert!(long("a", 250, &format!(".lnk{x}")).ends_with(".download"));
        assert_eq!(long("a", 253, &format!(".{x}")), "a".repeat(253));
        assert_eq!(long("a", 253, &format!(" b{x}")), "a".repeat(253));
        assert_eq!(long("con", 1, &format!("{}x", " ".repeat(300))), "_con");
        assert_eq!(long("con.lnk", 1, &format!("{}x", " ".repeat(247))), "_con.download");
        assert_eq!(long("con", 1, &format!("{}x.lnk", " ".repeat(246))), "_con.download");
        assert!(long("con.", 1, &x).starts_with("_con.x"));
        for start in ["a", "con.", "con ", "nul.lnk "] {
            for length in 230..300 {
                for tail in ["", ".lnk", ".url.", ".{a}", ".txt", "é.scf", ". lnk", "日本"] {
                    let name = format!("{start}{:a<length$}{tail}", "");
                    for name in [name.clone(), name.replace('a', " ") + "x"] {
                        let safe = safe_name(&name, None).unwrap();
                        assert!(safe.len() <= 255 && trimmed(&safe) == safe, "{safe}");
                        assert!(!is_reserved(&safe), "{safe}");
                        let extension = safe.rsplit_once('.').map_or("", |(_, last)| last);
                        assert!(!is_dangerous(extension), "{safe}");
                    }
                }
            }
        }
    }
}
